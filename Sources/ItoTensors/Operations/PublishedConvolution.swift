extension Shape {
  /// The shape `[out, height, width, in / groups]` of a kernel that files keep as
  /// `[out, in / groups, height, width]`.
  package var kernelOfPublished: Shape { [dims[0], dims[2], dims[3], dims[1]] }
}

extension Tensor {
  /// `convolved` by a kernel in the order of published files, which is packed from there: no copy in our
  /// order is made. Without gradient.
  ///
  /// - Parameters:
  ///   - kernel: `[out, channels / groups, kernelHeight, kernelWidth]`, float32 or bfloat16.
  ///   - bias: `[out]`, or nil.
  /// - Returns: `[batch, outHeight, outWidth, out]`.
  public func convolved(
    published kernel: Tensor, bias: Tensor? = nil,
    _ options: ConvolutionOptions = ConvolutionOptions()
  ) -> Tensor {
    require(kernel.shape.rank == 4, "convolution: published kernel \(kernel.shape)")
    if isTracked || kernel.isTracked || bias?.isTracked == true
      || kernel.dtype != kernel.dtype.productType
    {
      return convolved(kernel.permuted([0, 2, 3, 1]), bias: bias, options)
    }
    options.check(
      input: shape, kernel: kernel.shape.kernelOfPublished, bias: bias, outputs: kernel.shape[0])
    return Convolve.forward(
      cast(to: kernel.dtype), kernel, bias?.cast(to: .float32), options, keepsPacked: true,
      isPublished: true)
  }
}
