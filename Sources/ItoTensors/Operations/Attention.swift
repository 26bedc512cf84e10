import ItoCKernels

/// Scaled dot-product attention, `softmax(scale · query · keyᵀ + bias) · value`, per head.
///
/// Memory is proportional to the number of tokens: scores exist only as tiles, and the backward pass
/// recomputes them from one number per query. A `[batch, tokens, features]` projection becomes
/// `[batch, tokens, heads, headDimension]` by a free reshape.
///
/// The work is done in the common type of `query`, `key` and `value`, which is the result's: float32,
/// or bfloat16 (float16 is computed in float32). Relative RMS error of unit-normal data against
/// double precision: float32 1e-6 forward and 3e-6 in the gradients; bfloat16, its result rounding
/// included, 3e-3 forward and 1e-2 in the gradients.
///
/// - Parameters:
///   - query: `[batch, queries, heads, headDimension]`.
///   - key: `[batch, keys, keyHeads, headDimension]`; `keyHeads` divides `heads`, and consecutive
///     query heads share a key head (grouped-query attention).
///   - value: the shape of `key`.
///   - mask: bool `[batch, keys]`, false where a key is padding. A query that sees no key gives
///     zeros, and zero gradients.
///   - bias: added to the scaled scores; `[batch or 1, heads or 1, queries, keys]`. Gradients flow
///     to it.
///   - isCausal: query i sees keys 0…i only.
///   - scale: of the scores; 1/√headDimension when omitted.
/// - Returns: `[batch, queries, heads, headDimension]`.
/// - Cost: 4 · batch · heads · queries · keys · headDimension operations forward, 2.5 times that
///   backward; a bias gradient costs as much as forward again.
/// - Source: Dao 2023, *FlashAttention-2*, arXiv:2307.08691, algorithms 1 and 2; Ainslie et al.
///   2023, *GQA*, arXiv:2305.13245.
public func attention(
  query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, bias: Tensor? = nil,
  isCausal: Bool = false, scale: Double? = nil
) -> Tensor {
  let shapes = AttentionShapes(
    query: query, key: key, value: value, mask: mask, bias: bias, isCausal: isCausal, scale: scale)
  let type = query.dtype.promoted(with: key.dtype).promoted(with: value.dtype)
  let inputs = [query, key, value].map { $0.cast(to: type.productType) }
  let terms = bias?.cast(to: .float32)
  let isTracked = inputs.contains { $0.isTracked } || terms?.isTracked == true

  let (result, logSums) = shapes.forward(inputs, mask: mask, bias: terms, keepsSums: isTracked)
  guard let logSums else { return result.cast(to: type) }
  return result.recorded(from: inputs + (terms.map { [$0] } ?? [])) {
    [
      inputs = inputs.map { $0.detached() }, terms = terms?.detached(), mask,
      wantsBias = terms?.isTracked == true
    ] gradient in
    shapes.backward(
      inputs, mask: mask, bias: terms, result: result, logSums: logSums, gradient: gradient,
      wantsBias: wantsBias)
  }.cast(to: type)
}

/// The sizes and options of one attention, checked, and the kernel calls with them.
private struct AttentionShapes: Sendable {
  let batch: Int, queries: Int, keys: Int, heads: Int, keyHeads: Int, headDimension: Int
  let isCausal: Bool
  let scale: Double
  /// Strides of the bias over batch and heads; 0 where it is broadcast.
  var biasStrides = (batch: 0, head: 0)

  init(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor?, bias: Tensor?, isCausal: Bool,
    scale: Double?
  ) {
    let (q, k) = (query.shape, key.shape)
    let what = "attention: query \(q), key \(k), value \(value.shape)"
    require(q.rank == 4 && k.rank == 4 && value.shape == k, what)
    require(
      q[0] == k[0] && q[3] == k[3] && q[3] > 0 && q[2] > 0 && k[2] > 0 && q[2] % k[2] == 0, what)
    for tensor in [query, key, value] {
      require(tensor.dtype.isFloatingPoint, "\(what) with elements of \(tensor.dtype)")
    }
    (batch, queries, heads, headDimension) = (q[0], q[1], q[2], q[3])
    (keys, keyHeads) = (k[1], k[2])
    self.isCausal = isCausal
    self.scale = scale ?? 1 / Double(q[3]).squareRoot()
    if let mask {
      require(
        mask.shape == [batch, keys] && mask.dtype == .bool,
        "\(what), mask \(mask.dtype) \(mask.shape)")
    }
    if let bias {
      let b = bias.shape
      require(
        b.rank == 4 && (b[0] == batch || b[0] == 1) && (b[1] == heads || b[1] == 1)
          && b[2] == queries && b[3] == keys && bias.dtype.isFloatingPoint,
        "\(what), bias \(bias.dtype) \(b)")
      biasStrides.head = b[1] == 1 ? 0 : queries * keys
      biasStrides.batch = b[0] == 1 ? 0 : b[1] * queries * keys
    }
  }

  private var queryShape: Shape { [batch, queries, heads, headDimension] }
  private var keyShape: Shape { [batch, keys, keyHeads, headDimension] }

  private func problem(
    _ dtype: DType, mask: UnsafeRawPointer?, bias: UnsafeRawPointer?
  ) -> ito_attention {
    ito_attention(
      dtype: dtype.rawValue, causal: isCausal ? 1 : 0, batch: Int64(batch),
      queries: Int64(queries), keys: Int64(keys), heads: Int64(heads), kv_heads: Int64(keyHeads),
      head_dim: Int64(headDimension), scale: Float(scale), bias: bias?.of(Float.self),
      bias_batch: Int64(biasStrides.batch), bias_head: Int64(biasStrides.head),
      key_mask: mask?.of(UInt8.self))
  }

  private func input(_ data: UnsafeRawPointer, _ tokens: Int, _ heads: Int) -> ito_attention_in {
    let token = heads * headDimension
    return ito_attention_in(
      data: data, batch: Int64(tokens * token), token: Int64(token), head: Int64(headDimension))
  }
  private func output(
    _ data: UnsafeMutableRawPointer, _ tokens: Int, _ heads: Int
  ) -> ito_attention_out {
    let token = heads * headDimension
    return ito_attention_out(
      data: data, batch: Int64(tokens * token), token: Int64(token), head: Int64(headDimension))
  }

  /// The result, and the logarithms of the softmax sums for the backward pass.
  func forward(
    _ inputs: [Tensor], mask: Tensor?, bias: Tensor?, keepsSums: Bool
  ) -> (result: Tensor, logSums: Tensor?) {
    let sums = keepsSums ? Tensor(uninitialized: [batch, heads, queries]) : nil
    let dtype = inputs[0].dtype
    let result = Tensor(building: queryShape, dtype: dtype) { out in
      reading(inputs[0], inputs[1], inputs[2]) { q, k, v in
        readingOptional(mask) { maskBytes in
          readingOptional(bias) { biasBytes in
            readingOptional(sums) { sumBytes in
              var p = problem(dtype, mask: maskBytes, bias: biasBytes)
              ito_profile_work(
                4 * Double(batch * heads) * Double(queries) * Double(keys) * Double(headDimension))
              ito_attention_forward(
                &p, input(q, queries, heads), input(k, keys, keyHeads), input(v, keys, keyHeads),
                output(out, queries, heads),
                sumBytes.map { UnsafeMutableRawPointer(mutating: $0).of(Float.self) })
            }
          }
        }
      }
    }
    return (result, sums)
  }

  /// The gradients of query, key, value and, when there is one, bias.
  func backward(
    _ inputs: [Tensor], mask: Tensor?, bias: Tensor?, result: Tensor, logSums: Tensor,
    gradient: Tensor, wantsBias: Bool
  ) -> [Tensor?] {
    let dtype = inputs[0].dtype
    let gradient = gradient.cast(to: dtype)
    let dq = Tensor(uninitialized: queryShape, dtype: dtype)
    let dk = Tensor(uninitialized: keyShape, dtype: dtype)
    let dv = Tensor(uninitialized: keyShape, dtype: dtype)
    let db = wantsBias ? bias.map { Tensor(uninitialized: $0.shape) } : nil
    reading(inputs[0], inputs[1], inputs[2]) { q, k, v in
      reading(result, gradient, logSums) { o, g, sums in
        readingOptional(mask) { maskBytes in
          readingOptional(bias) { biasBytes in
            var p = problem(dtype, mask: maskBytes, bias: biasBytes)
            ito_attention_backward(
              &p, input(q, queries, heads), input(k, keys, keyHeads), input(v, keys, keyHeads),
              input(o, queries, heads), input(g, queries, heads), sums.of(Float.self),
              output(dq.storage.base, queries, heads), output(dk.storage.base, keys, keyHeads),
              output(dv.storage.base, keys, keyHeads), db?.storage.base.of(Float.self))
          }
        }
      }
    }
    return [dq, dk, dv] + (bias == nil ? [] : [db])
  }
}
