import ItoCKernels
import ItoCOneDNN

extension JoinedChannels {
  /// `whole · weightᵀ + bias` and what follows it, as a sum of products, one for each part: each is added to what those
  /// before it left in the result. The concatenation is made only where gradients are recorded, or for a type of which the
  /// library has no such product.
  ///
  /// - Parameters:
  ///   - weight: the `out · in` elements of the matrix, row by row, in whatever shape. An untracked one is packed once,
  ///     each part's columns for themselves, and the packed forms kept with its buffer, as `Tensor.linear` does.
  ///   - bias: `[out]`, or nil.
  ///   - type: float32 or bfloat16, to compute in it whatever the weight is stored in.
  ///   - epilogue: what follows in the same pass.
  /// - Returns: `[…, out]`. It differs from `linear` on the concatenation by the order of sums: element by element by at
  ///   most `2·(in + parts)·2⁻²⁴·Σ|xᵢ·wᵢ|` in float32, terms of bias and residual included. A bfloat16 result rounds
  ///   the sum of each part.
  /// - Cost: that of `linear`, and one more pass over the result for each further part.
  public func linear(
    _ weight: Tensor, outFeatures n: Int, bias: Tensor? = nil, computing type: DType? = nil,
    then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    let k = shape[-1]
    require(
      weight.shape.count == n * k && (bias == nil || bias?.shape == [n]),
      "linear: input \(shape), weight \(weight.shape), \(n) features, bias \(bias?.shape.description ?? "none")"
    )
    let type = (type ?? weight.dtype).productType
    let inputs = parts + [weight] + (bias.map { [$0] } ?? [])
    let isPlain = parts.count == 1 || inputs.contains(where: \.isTracked)
    if !isPlain, epilogue.isFusible(into: type, of: inputs),
      let sum = sum(weight, n, bias: bias, type, then: epilogue)
    {
      return sum
    }
    return whole.linear(
      weight.reshaped(to: [n, k]), bias: bias, computing: type, then: epilogue)
  }

  /// Nil where the library lacks one of the products.
  private func sum(
    _ weight: Tensor, _ n: Int, bias: Tensor?, _ type: DType, then epilogue: Epilogue
  ) -> Tensor? {
    var shape = shape
    let depth = shape[-1], rows = shape.count / Swift.max(1, depth)
    shape[-1] = n
    epilogue.check("product", result: shape)
    if shape.count == 0 || parts.contains(where: { $0.shape[-1] == 0 }) { return nil }
    let x = parts.map { $0.cast(to: type) }, bias = bias?.cast(to: .float32)
    let b = weight.operand(computing: type, tracked: false)
    let kept = weight.storage.keeps(weight.dtype, computing: type)
    let packs = kept == .none ? nil : b.storage.packs
    var status: Int32 = 0
    let result = weight.storage.used(as: weight.dtype) {
      Tensor(building: shape, dtype: type) { out in
        var first = 0
        for (i, part) in x.enumerated() where status == 0 {
          let isFirst = i == 0, k = part.shape[-1]
          let residual = isFirst ? epilogue.residual : nil
          var desc = ito_matmul_desc(
            batch: 1, m: Int64(rows), n: Int64(n), k: Int64(k), a_transposed: 0, b_transposed: 1,
            dtype: Int64(type.rawValue), out_dtype: Int64(type.rawValue),
            has_bias: isFirst && bias != nil ? 1 : 0,
            activation: i == x.count - 1 ? epilogue.code : Int64(ITO_UNARY_NONE),
            has_residual: isFirst && residual == nil ? 0 : 1, packs_b: 1,
            b_dtype: Int64(b.dtype.rawValue), b_depth: Int64(depth), b_first: Int64(first),
            keeps_wide: kept == .all ? 1 : 0, sample_rows: Int64(shape.sampleRows))
          reading(part, b) { pa, pb in
            readingOptional(isFirst ? bias : nil) { pc in
              readingOptional(residual) { pr in
                ito_profile_work(2 * Double(rows) * Double(n) * Double(k))
                status = ito_matmul(
                  &desc, pa, pb, pc?.of(Float.self), isFirst ? pr : UnsafeRawPointer(out), out,
                  packs)
              }
            }
          }
          first += k
        }
      }
    }
    guard status == 0 else { return nil }
    if packs != nil { b.storage.releasePages() }
    return result
  }
}
