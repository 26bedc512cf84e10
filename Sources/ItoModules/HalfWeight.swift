public import ItoTensors

/// A matrix that stays in half precision, as its file has it, and multiplies in float32.
///
/// Its elements are widened, which is exact, as the product reads them (fewer than 512 rows of input) or in a buffer
/// that all layers share: the product is that of the widened matrix but for the order of its sums, for half of
/// its memory (none beyond the file's where it is mapped) and some of the time of every call.
public struct HalfWeight: WeightMatrix {
  /// `[out, in]`, bfloat16 or float16
  public var values: Tensor

  /// A weight holding `values`, `[out, in]`.
  public init(_ values: Tensor) { self.values = values }

  /// Rows.
  public var outFeatures: Int { values.shape[0] }
  /// Columns.
  public var inFeatures: Int { values.shape[1] }
  /// The product with this matrix, in float32.
  public func apply(to x: Tensor, bias: Tensor?) -> Tensor {
    x.linear(values, bias: bias, computing: .float32)
  }
  /// The product with this matrix and what follows it in one pass.
  public func apply(to x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    x.linear(values, bias: bias, computing: .float32, then: epilogue)
  }
  /// The product of each row with this matrix; see `Tensor.linearByRow`.
  public func apply(toEachRowOf x: Tensor, bias: Tensor?, then epilogue: Epilogue) -> Tensor {
    x.linearByRow(values, bias: bias, computing: .float32, then: epilogue)
  }
  /// The numbers as float32.
  public func dense() -> Tensor { values.detached().cast(to: .float32) }
  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &values)
  }
}
