public import ItoTensors

/// A convolution kernel as published files keep it, `[out, in / groups, height, width]`: a view of the
/// mapped file, from which the kernel is packed for the library. No copy in our order is made, so a
/// network takes its packed weights' memory and no more. One in half precision that computes in float32
/// is not packed either, but widened in every call, as `HalfWeight` is.
///
/// To everyone else it is a kernel `[out, height, width, in / groups]` like any other; a visitor that
/// changes it costs a copy.
public struct PublishedKernel: ConvolutionWeight {
  private var values: Tensor
  private let computeType: DType?

  /// A kernel viewing `values`, `[out, in / groups, height, width]`.
  ///
  /// - Parameter type: what to compute in; the type of `values` when nil.
  public init(_ values: Tensor, computing type: DType? = nil) {
    self.values = values
    computeType = type
  }

  /// `[out, kernelHeight, kernelWidth, in / groups]`
  public var shape: Shape { values.shape.kernelOfPublished }
  /// The convolution with this kernel.
  public func apply(to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions) -> Tensor {
    x.convolved(published: values, bias: bias, options, computing: computeType)
  }
  /// The convolution with this kernel and what follows it in one pass.
  public func apply(
    to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions, then epilogue: Epilogue
  ) -> Tensor {
    x.convolved(
      published: values, bias: bias, options, computing: computeType, then: epilogue)
  }
  /// A sum of products, one for each of the maps: a kernel of one pixel is the same matrix in either order.
  public func apply(toPixels x: JoinedChannels, bias: Tensor?) -> Tensor? {
    values.isTracked || x.isTracked
      ? nil : x.linear(values, outFeatures: shape[0], bias: bias, computing: computeType)
  }
  /// The kernel in our order as float32.
  public func dense() -> Tensor { values.detached().permuted([0, 2, 3, 1]).cast(to: .float32) }
  /// Visits the kernel in our order.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    guard v.readsValues else {
      var blank = Tensor(uninitialized: shape, dtype: values.dtype)
      return try v.parameter("weight", &blank)
    }
    let before = values.permuted([0, 2, 3, 1])
    var kernel = before
    try v.parameter("weight", &kernel)
    if kernel.storageAddress != before.storageAddress || kernel.isTracked {
      values = kernel.permuted([0, 3, 1, 2])
    }
  }
}
