public import ItoTensors

/// A change to a convolution's kernel, kept apart from it.
public protocol KernelDelta: Module {
  /// The convolution with the change: `[batch, height, width, in]` to `[…, out]`.
  func apply(to x: Tensor, _ options: ConvolutionOptions) -> Tensor
  /// The change, `[out, kernelHeight, kernelWidth, in]`, as float32.
  func dense() -> Tensor
}

/// A kernel of low rank: a convolution to `rank` channels, then one of 1×1.
///
/// - Source: LyCORIS's LoCon, Yeh et al. 2024, arXiv:2309.14859, section 3.1.
public struct LowRankKernelDelta: KernelDelta {
  /// `[rank, kernelHeight, kernelWidth, in]`
  public var down: Tensor
  /// `[out, 1, 1, rank]`
  public var up: Tensor
  /// What the product is multiplied by.
  public var scale: Double

  /// A change from its two factors.
  public init(down: Tensor, up: Tensor, scale: Double) {
    require(
      down.shape.rank == 4 && up.shape.rank == 4 && up.shape[3] == down.shape[0],
      "a kernel of low rank from \(down.shape) and \(up.shape)")
    self.down = down
    self.up = up
    self.scale = scale
  }

  /// Two thin convolutions; with the whole change when channels are convolved in groups.
  public func apply(to x: Tensor, _ options: ConvolutionOptions) -> Tensor {
    if options.groups > 1 { return x.convolved(dense().cast(to: x.dtype), bias: nil, options) }
    return (scale * x.convolved(down, bias: nil, options)).convolved(up, bias: nil)
  }

  /// The product of the factors.
  public func dense() -> Tensor {
    let (a, b) = (down.shape, up.shape)
    let matrix = up.detached().cast(to: .float32).reshaped(to: [b[0], b[3]])
    let columns = down.detached().cast(to: .float32).reshaped(to: [a[0], a[1] * a[2] * a[3]])
    return (scale * matrix.matmul(columns)).reshaped(to: [b[0], a[1], a[2], a[3]])
  }

  /// Visits the factors.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("down", &down)
    try v.parameter("up", &up)
  }
}

/// A change to a kernel given as one to the matrix `[out, in·kernelHeight·kernelWidth]`, which is how
/// published files flatten kernels.
public struct MatrixKernelDelta: KernelDelta {
  /// The change to the matrix.
  public var matrix: any WeightDelta
  /// Height and width of the kernel.
  public let height: Int, width: Int

  /// The change `matrix` of a kernel of that size.
  public init(_ matrix: any WeightDelta, height: Int, width: Int) {
    self.matrix = matrix
    self.height = height
    self.width = width
  }

  /// The convolution with the change, which is made anew each time so that none is kept.
  public func apply(to x: Tensor, _ options: ConvolutionOptions) -> Tensor {
    x.convolved(dense().cast(to: x.dtype), bias: nil, options)
  }

  /// The change in our layout.
  public func dense() -> Tensor {
    let flat = matrix.dense()
    let inputs = flat.shape[1] / (height * width)
    return flat.reshaped(to: [flat.shape[0], inputs, height, width]).permuted(0, 2, 3, 1)
  }

  /// Visits the change.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try matrix.visit(&v)
  }
}
