import ItoCKernels
import ItoCOneDNN

/// One matrix product through oneDNN, without gradient.
///
/// `a` is `[batch, m, k]` or, transposed, `[batch, k, m]`; `b` is `[batch, k, n]` or `[batch, n, k]`.
/// Computed in the element type of `a`, float32 or bfloat16; where the processor has no bfloat16 product
/// the work is done in float32. For a product in float32, `b` may be in half precision: it is widened for
/// the call, without a copy that is kept.
struct MatrixProduct {
  var batch = 1
  var m: Int, n: Int, k: Int
  var aTransposed = false, bTransposed = false
  var packsB = false
  /// Rows of each sample, which may share products where that is quicker; 0: no rows may.
  var sampleRows = 0

  func callAsFunction(
    _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, shape: Shape, dtype: DType,
    keeping kept: KeptForms = .none, then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    epilogue.check("product", result: shape)
    if shape.count == 0 { return Tensor(zeros: shape, dtype: dtype) }
    if k == 0 {
      let zeros = Tensor(zeros: shape, dtype: dtype)
      return epilogue.applied(to: bias.map { (zeros + $0).cast(to: dtype) } ?? zeros)
    }
    var desc = ito_matmul_desc(
      batch: Int64(batch), m: Int64(m), n: Int64(n), k: Int64(k),
      a_transposed: aTransposed ? 1 : 0, b_transposed: bTransposed ? 1 : 0,
      dtype: Int64(a.dtype.rawValue), out_dtype: Int64(dtype.rawValue),
      has_bias: bias == nil ? 0 : 1, activation: epilogue.code,
      has_residual: epilogue.residual == nil ? 0 : 1, packs_b: packsB ? 1 : 0,
      b_dtype: Int64(b.dtype.rawValue), b_depth: 0, b_first: 0, keeps_wide: kept == .all ? 1 : 0,
      sample_rows: Int64(sampleRows))
    var status: Int32 = 0
    let packs = kept != .none && packsB ? b.storage.packs : nil
    let result = Tensor(building: shape, dtype: dtype) { out in
      reading(a, b) { pa, pb in
        readingOptional(bias) { pc in
          readingOptional(epilogue.residual) { pr in
            ito_profile_work(2 * Double(batch) * Double(m) * Double(n) * Double(k))
            status = ito_matmul(&desc, pa, pb, pc?.of(Float.self), pr, out, packs)
          }
        }
      }
    }
    guard status != 0 else {
      if packs != nil { b.storage.releasePages() }
      return result
    }
    if !epilogue.isEmpty {
      return epilogue.applied(
        to: self(a, b, bias: bias, shape: shape, dtype: dtype, keeping: kept))
    }
    require(
      a.dtype != .float32 || dtype != .float32,
      "oneDNN \(String(cString: ito_onednn_version())) has no float32 product for m \(m) n \(n) k \(k)"
    )
    return self(a.cast(to: .float32), b, bias: bias, shape: shape, dtype: .float32).cast(to: dtype)
  }
}

extension DType {
  /// The type products of this type are computed in.
  var productType: DType { self == .bfloat16 ? .bfloat16 : .float32 }
}

extension Shape {
  /// Rows of each sample of `[samples, …, features]`; 0 where every row is a sample of its own.
  var sampleRows: Int { rank < 3 ? 0 : dims[1..<(rank - 1)].reduce(1, *) }
}

extension Tensor {
  /// `self · weightᵀ + bias`.
  ///
  /// The product is computed, and returned, in the weight's element type (float16 weights in
  /// float32); accumulation is float32. An untracked weight is packed for the kernel once and the
  /// packed form kept with its buffer. A weight in half precision whose product is in float32 is packed as
  /// it is, or, where another kernel is quicker, widened for each call, to the same values.
  ///
  /// By an untracked weight of some size, the many rows of a sample are multiplied with seven products of blocks in place
  /// of eight (Strassen 1969), where that is quicker. Neighbouring rows then share rounding: for independent numbers the
  /// error's norm is below 4·2⁻⁹ of the result's in bfloat16, √in · 2⁻²⁵ in float32. See ``Runtime/usesStrassen``.
  ///
  /// - Parameters:
  ///   - weight: `[out, in]`.
  ///   - bias: `[out]`, or nil.
  ///   - type: float32 or bfloat16, to compute in it whatever the weight is stored in.
  ///   - epilogue: what follows in the same pass.
  /// - Returns: `[…, out]` for a self of `[…, in]`.
  public func linear(
    _ weight: Tensor, bias: Tensor? = nil, computing type: DType? = nil,
    then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    require(
      weight.shape.rank == 2 && shape.rank >= 1 && shape[-1] == weight.shape[1]
        && (bias == nil || bias?.shape == [weight.shape[0]]),
      "linear: input \(shape), weight \(weight.shape), bias \(bias?.shape.description ?? "none")")
    let type = (type ?? weight.dtype).productType
    let inputs = [self, weight] + (bias.map { [$0] } ?? [])
    if !epilogue.isEmpty && !epilogue.isFusible(into: type, of: inputs) {
      return epilogue.applied(to: linear(weight, bias: bias, computing: type))
    }
    let x = cast(to: type)
    let w = weight.operand(computing: type, tracked: inputs.contains(where: \.isTracked))
    let (n, k) = (w.shape[0], w.shape[1])
    let m = shape.count / Swift.max(1, k)
    let kept =
      weight.isTracked ? .none : weight.storage.keeps(weight.dtype, computing: type)
    var out = shape
    out[-1] = n
    let product = MatrixProduct(
      m: m, n: n, k: k, bTransposed: true, packsB: true,
      sampleRows: weight.isTracked ? 0 : shape.sampleRows)
    let result = weight.storage.used(as: weight.dtype) {
      product(
        x, w, bias: bias?.cast(to: .float32), shape: out, dtype: type, keeping: kept,
        then: epilogue)
    }
    return result.recorded(from: [x] + inputs.dropFirst()) {
      [
        x = x.detached(), w = w.detached(), tracked = inputs.map(\.isTracked),
        biasType = bias?.dtype,
        weightType = weight.dtype
      ] g in
      var gradients: [Tensor?] = [nil, nil]
      if tracked[0] {
        gradients[0] = MatrixProduct(m: m, n: k, k: n)(g, w, shape: x.shape, dtype: type)
      }
      if tracked[1] {
        gradients[1] = MatrixProduct(m: n, n: k, k: m, aTransposed: true)(
          g, x, shape: [n, k], dtype: .float32
        ).cast(to: weightType == .float16 ? .float16 : .float32)
      }
      if let biasType {
        gradients.append(
          tracked[2]
            ? g.reduce(Int(ITO_SUM), axes: Array(0..<(g.shape.rank - 1))).viewed([n]).cast(
              to: biasType) : nil)
      }
      return gradients
    }
  }

  /// `self · other`, matrices in the last two axes, any equal leading axes.
  ///
  /// - Parameters:
  ///   - transposed: multiply by the transposes of `other`'s matrices, without copying them.
  /// - Returns: `[…, m, n]` for `[…, m, k]` and `[…, k, n]` (or `[…, n, k]`).
  public func matmul(_ other: Tensor, transposed: Bool = false) -> Tensor {
    let (a, b) = (shape, other.shape)
    require(
      a.rank >= 2 && a.rank == b.rank && a.dims.dropLast(2) == b.dims.dropLast(2)
        && a[-1] == (transposed ? b[-1] : b[-2]),
      "matmul: \(a) by \(b)\(transposed ? " transposed" : "")")
    let type = dtype.promoted(with: other.dtype).productType
    let x = cast(to: type), y = other.cast(to: type)
    let batch = a.dims.dropLast(2).reduce(1, *)
    let (m, k, n) = (a[-2], a[-1], transposed ? b[-2] : b[-1])
    var out = a
    out[-1] = n
    let product = MatrixProduct(batch: batch, m: m, n: n, k: k, bTransposed: transposed)
    return product(x, y, shape: out, dtype: type).recorded(from: [x, y]) {
      [x = x.detached(), y = y.detached()] g in
      // self: g·yᵀ. other: xᵀ·g, or gᵀ·x when it was multiplied transposed.
      let dx = MatrixProduct(batch: batch, m: m, n: k, k: n, bTransposed: !transposed)(
        g, y, shape: x.shape, dtype: type)
      let dy =
        transposed
        ? MatrixProduct(batch: batch, m: n, n: k, k: m, aTransposed: true)(
          g, x, shape: y.shape, dtype: type)
        : MatrixProduct(batch: batch, m: k, n: n, k: m, aTransposed: true)(
          x, g, shape: y.shape, dtype: type)
      return [dx, dy]
    }
  }
}
