extension Shape {
  /// The shape `[out, height, width, in / groups]` of a kernel that files keep as
  /// `[out, in / groups, height, width]`.
  package var kernelOfPublished: Shape { [dims[0], dims[2], dims[3], dims[1]] }
}

extension Tensor {
  /// `convolved` by a kernel in the order of published files, which is packed from there: no copy in our
  /// order is made. One in half precision whose products are in float32 is widened where it is used. Without
  /// gradient.
  ///
  /// - Parameters:
  ///   - kernel: `[out, channels / groups, kernelHeight, kernelWidth]`, of a floating-point type.
  ///   - bias: `[out]`, or nil.
  ///   - type: float32 or bfloat16, to compute in it whatever the kernel is stored in.
  ///   - epilogue: what follows in the same pass.
  /// - Returns: `[batch, outHeight, outWidth, out]`.
  public func convolved(
    published kernel: Tensor, bias: Tensor? = nil,
    _ options: ConvolutionOptions = ConvolutionOptions(), computing type: DType? = nil,
    then epilogue: Epilogue = Epilogue()
  ) -> Tensor {
    require(kernel.shape.rank == 4, "convolution: published kernel \(kernel.shape)")
    let type = (type ?? kernel.dtype).productType
    if isTracked || kernel.isTracked || bias?.isTracked == true {
      return convolved(
        kernel.permuted([0, 2, 3, 1]).cast(to: type), bias: bias, options, then: epilogue)
    }
    if !epilogue.isEmpty && !epilogue.isFusible(into: type, of: []) {
      return epilogue.applied(
        to: convolved(published: kernel, bias: bias, options, computing: type))
    }
    options.check(
      input: shape, kernel: kernel.shape.kernelOfPublished, bias: bias, outputs: kernel.shape[0])
    return kernel.storage.used(as: kernel.dtype) {
      Convolve.forward(
        cast(to: type), kernel.operand(computing: type, tracked: false), bias?.cast(to: .float32),
        options, keeping: kernel.storage.keeps(kernel.dtype, computing: type),
        isPublished: true, then: epilogue)
    }
  }
}
