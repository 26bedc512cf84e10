public import ItoTensors

/// A change to a matrix, kept apart from it and usually much smaller: what an adapter adds.
public protocol WeightDelta: Module {
  /// `[out, in]`
  var shape: Shape { get }
  /// `x·ΔWᵀ`: `[…, in]` to `[…, out]`.
  func apply(to x: Tensor) -> Tensor
  /// `ΔW`, `[out, in]`, as float32.
  func dense() -> Tensor
}

/// A change of low rank: `ΔW = scale·up·down`.
///
/// - Source: Hu et al. 2021, *LoRA*, arXiv:2106.09685, section 4.1; `scale` is its α/r.
public struct LowRankDelta: WeightDelta {
  /// `[rank, in]`
  public var down: Tensor
  /// `[out, rank]`
  public var up: Tensor
  /// What the product is multiplied by.
  public var scale: Double

  /// A change from its two factors.
  public init(down: Tensor, up: Tensor, scale: Double) {
    require(
      down.shape.rank == 2 && up.shape.rank == 2 && up.shape[1] == down.shape[0],
      "a change of low rank from \(down.shape) and \(up.shape)")
    self.down = down
    self.up = up
    self.scale = scale
  }

  /// `[out, in]`
  public var shape: Shape { [up.shape[0], down.shape[1]] }

  /// Two thin products instead of one with the matrix: `2·rank·(in + out)` operations a row.
  public func apply(to x: Tensor) -> Tensor {
    (scale * x.linear(down, bias: nil)).linear(up, bias: nil)
  }

  /// The product of the factors.
  public func dense() -> Tensor {
    let (down, up) = (down.detached().cast(to: .float32), up.detached().cast(to: .float32))
    return scale * up.matmul(down)
  }

  /// Visits the factors.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("down", &down)
    try v.parameter("up", &up)
  }
}

/// An elementwise product of two changes of low rank, whose rank is up to the product of theirs.
///
/// - Source: Hyeon-Woo et al. 2022, *FedPara*, arXiv:2108.06098, equation 3; LyCORIS calls it LoHa
///   (Yeh et al. 2024, arXiv:2309.14859, section 3.2).
public struct HadamardDelta: WeightDelta {
  /// The factors; `scale` is the first one's.
  public var first: LowRankDelta, second: LowRankDelta

  /// The product of two changes.
  public init(_ first: LowRankDelta, _ second: LowRankDelta) {
    self.first = first
    self.second = second
  }

  /// `[out, in]`
  public var shape: Shape { first.shape }

  /// The product with the change, which is made anew each time so that none is kept.
  public func apply(to x: Tensor) -> Tensor { x.linear(dense().cast(to: x.dtype), bias: nil) }

  /// The product of the two.
  public func dense() -> Tensor { first.dense() * second.dense() }

  /// Visits the factors.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("first", &first)
    try v.child("second", &second)
  }
}

/// A Kronecker product: `ΔW = scale·(left ⊗ right)`.
///
/// - Source: LyCORIS's LoKr, Yeh et al. 2024, arXiv:2309.14859, section 3.2.
public struct KroneckerDelta: WeightDelta {
  /// `[out₁, in₁]`
  public var left: Tensor
  /// `[out₂, in₂]`
  public var right: Tensor
  /// What the product is multiplied by.
  public var scale: Double

  /// A change from its two factors.
  public init(left: Tensor, right: Tensor, scale: Double) {
    self.left = left
    self.right = right
    self.scale = scale
  }

  /// `[out₁·out₂, in₁·in₂]`
  public var shape: Shape {
    [left.shape[0] * right.shape[0], left.shape[1] * right.shape[1]]
  }

  /// `left·X·rightᵀ` for `x` seen as a matrix `[in₁, in₂]`: two small products.
  public func apply(to x: Tensor) -> Tensor {
    let lead = Array(x.shape.dims.dropLast())
    let rows = lead.reduce(1, *)
    let matrix = (scale * x).reshaped(to: [rows, left.shape[1], right.shape[1]])
    let half = matrix.linear(right, bias: nil).permuted(0, 2, 1)  // [rows, out₂, in₁]
    let whole = half.linear(left, bias: nil).permuted(0, 2, 1)  // [rows, out₁, out₂]
    return whole.reshaped(to: lead + [left.shape[0] * right.shape[0]])
  }

  /// The Kronecker product.
  public func dense() -> Tensor {
    let (left, right) = (left.detached().cast(to: .float32), right.detached().cast(to: .float32))
    let (a, b) = (left.shape, right.shape)
    let product =
      left.reshaped(to: [a[0], 1, a[1], 1]) * right.reshaped(to: [1, b[0], 1, b[1]])
    return scale * product.reshaped(to: [a[0] * b[0], a[1] * b[1]])
  }

  /// Visits the factors.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("left", &left)
    try v.parameter("right", &right)
  }
}

/// A change as it is.
public struct DenseDelta: WeightDelta {
  /// `[out, in]`
  public var values: Tensor

  /// The change `values`, `[out, in]`.
  public init(_ values: Tensor) { self.values = values }

  /// `[out, in]`
  public var shape: Shape { values.shape }
  /// The product with the change.
  public func apply(to x: Tensor) -> Tensor { x.linear(values.cast(to: x.dtype), bias: nil) }
  /// The numbers as float32.
  public func dense() -> Tensor { values.detached().cast(to: .float32) }
  /// Visits the change.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("values", &values)
  }
}
