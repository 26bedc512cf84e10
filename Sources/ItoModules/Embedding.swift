public import ItoTensors

/// A table of vectors looked up by number.
public struct Embedding: Module {
  /// `[entries, features]`
  public var weight: Tensor
  /// What the vectors are given in; the table's own type when nil.
  public var vectorType: DType?

  /// Normal entries.
  public init(
    _ entries: Int, _ features: Int, deviation: Double = 1, _ initial: inout ParameterInitializer
  ) {
    weight = initial.normal([entries, features], deviation: deviation)
  }

  /// Integers `[…]` to `[…, features]`; a number outside the table is a programmer's error.
  public func callAsFunction(_ indices: Tensor) -> Tensor {
    let vectors = weight.embedding(indices)
    return vectorType.map { vectors.cast(to: $0) } ?? vectors
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitTable(&self)
  }
}
