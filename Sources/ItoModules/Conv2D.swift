public import ItoTensors

/// A 2-D convolution of `[batch, height, width, channels]`.
public struct Conv2D: Module {
  /// `[out, kernelHeight, kernelWidth, in / groups]`, in whatever form.
  public var weight: any ConvolutionWeight
  /// `[out]`
  public var bias: Tensor?
  /// Stride, padding, dilation, groups.
  public var options: ConvolutionOptions

  /// Weights and bias uniform in ±1/√(fan in), the initial values PyTorch gives; zeros on request.
  ///
  /// - Parameter padding: zeros on every side; half the kernel when nil, which keeps the size at
  ///   stride 1.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int? = nil,
    groups: Int = 1, bias: Bool = true, zeros: Bool = false, _ initial: inout ParameterInitializer
  ) {
    let fanIn = inChannels / groups * kernel * kernel
    let bound = zeros ? 0 : 1 / Double(max(1, fanIn)).squareRoot()
    weight = DenseKernel(
      initial.uniform([outChannels, kernel, kernel, inChannels / groups], bound: bound))
    self.bias = bias ? initial.uniform([outChannels], bound: bound) : nil
    options = ConvolutionOptions(stride: stride, padding: padding ?? kernel / 2, groups: groups)
  }

  /// `[batch, height, width, in]` to `[batch, outHeight, outWidth, out]`.
  /// `residual` is added and then `activation` applied, in one pass where the weight's form allows it.
  ///
  /// - Parameter doubled: convolve `x` with every pixel repeated two by two.
  public func callAsFunction(
    _ x: Tensor, doubled: Bool = false, adding residual: Tensor? = nil,
    activation: Activation? = nil
  ) -> Tensor {
    var options = options
    options.doubles = doubled
    return weight.apply(
      to: x, bias: bias, options, then: Epilogue(adding: residual, activation: activation))
  }

  /// The convolution of maps side by side without copying them together; nil where this one cannot: for a kernel of
  /// several pixels, a form of weight that reads one tensor only, and while gradients are recorded.
  public func callAsFunction(joining x: JoinedChannels) -> Tensor? {
    let shape = weight.shape
    guard shape[1] == 1, shape[2] == 1, bias?.isTracked != true,
      options == ConvolutionOptions(stride: 1, padding: 0)
    else { return nil }
    return weight.apply(toPixels: x, bias: bias)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&weight)
    try v.parameter("bias", &bias)
  }
}
