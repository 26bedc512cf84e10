public import ItoTensors

/// The weight of a linear layer, in whatever form it is stored.
public protocol WeightMatrix: Module {
  /// Rows: features out.
  var outFeatures: Int { get }
  /// Columns: features in.
  var inFeatures: Int { get }
  /// `x·Wᵀ + bias`: `[…, in]` to `[…, out]`. Owns activation quantization and the like.
  func apply(to x: Tensor, bias: Tensor?) -> Tensor
  /// The same, and what follows it; in one pass where the form allows it.
  func apply(to x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor
  /// The same of `[rows, in]`, in which no row's bits depend on the other rows.
  func apply(toEachRowOf x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor
  /// The matrix `[out, in]` as float32, for export, merging and tests.
  func dense() -> Tensor
}

/// The weight of a 2-D convolution, in whatever form it is stored.
public protocol ConvolutionWeight: Module {
  /// `[out, kernelHeight, kernelWidth, in / groups]`
  var shape: Shape { get }
  /// Convolves `[batch, height, width, in]`.
  func apply(to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions) -> Tensor
  /// The same, and what follows it; in one pass where the form allows it.
  func apply(
    to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions, then epilogue: Epilogue
  ) -> Tensor
  /// The convolution, by a kernel of one pixel at stride 1, of maps side by side, which are not copied together; nil
  /// where the form reads one tensor only, or gradients are recorded.
  func apply(toPixels x: JoinedChannels, bias: Tensor?) -> Tensor?
  /// The kernel `[out, kernelHeight, kernelWidth, in / groups]` as float32.
  func dense() -> Tensor
}

extension WeightMatrix {
  /// The product, then what follows it as operations of their own.
  public func apply(to x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    epilogue.applied(to: apply(to: x, bias: bias))
  }
  /// One product after the other, then what follows them: right for every form, and as slow as it sounds.
  public func apply(toEachRowOf x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    guard x.shape[0] > 1 else { return apply(to: x, bias: bias, then: epilogue) }
    let rows = (0..<x.shape[0]).map { apply(to: x.sliced($0..<$0 + 1, axis: 0), bias: bias) }
    return epilogue.applied(to: Tensor.concatenated(rows, axis: 0))
  }
}

extension ConvolutionWeight {
  /// The convolution, then what follows it as operations of their own.
  public func apply(
    to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions, then epilogue: Epilogue
  ) -> Tensor {
    epilogue.applied(to: apply(to: x, bias: bias, options))
  }
  /// Nil: one tensor only.
  public func apply(toPixels x: JoinedChannels, bias: Tensor?) -> Tensor? { nil }
}

/// A matrix of plain numbers.
public struct DenseWeight: WeightMatrix {
  /// `[out, in]`
  public var values: Tensor

  /// A weight holding `values`, `[out, in]`.
  public init(_ values: Tensor) { self.values = values }

  /// Rows.
  public var outFeatures: Int { values.shape[0] }
  /// Columns.
  public var inFeatures: Int { values.shape[1] }
  /// The product with this matrix.
  public func apply(to x: Tensor, bias: Tensor?) -> Tensor { x.linear(values, bias: bias) }
  /// The product with this matrix and what follows it in one pass.
  public func apply(to x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    x.linear(values, bias: bias, then: epilogue)
  }
  /// The product of each row with this matrix; see `Tensor.linearByRow`.
  public func apply(toEachRowOf x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    x.linearByRow(values, bias: bias, then: epilogue)
  }
  /// The numbers as float32.
  public func dense() -> Tensor { values.detached().cast(to: .float32) }
  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &values)
  }
}

/// A convolution kernel of plain numbers.
public struct DenseKernel: ConvolutionWeight {
  /// `[out, kernelHeight, kernelWidth, in / groups]`
  public var values: Tensor

  /// A weight holding `values`.
  public init(_ values: Tensor) { self.values = values }

  /// Its shape.
  public var shape: Shape { values.shape }
  /// The convolution with this kernel.
  public func apply(to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions) -> Tensor {
    x.convolved(values, bias: bias, options)
  }
  /// The convolution with this kernel and what follows it in one pass.
  public func apply(
    to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions, then epilogue: Epilogue
  ) -> Tensor {
    x.convolved(values, bias: bias, options, then: epilogue)
  }
  /// A sum of products, one for each of the maps.
  public func apply(toPixels x: JoinedChannels, bias: Tensor?) -> Tensor? {
    values.isTracked || x.isTracked
      ? nil : x.linear(values, outFeatures: shape[0], bias: bias)
  }
  /// The numbers as float32.
  public func dense() -> Tensor { values.detached().cast(to: .float32) }
  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &values)
  }
}
