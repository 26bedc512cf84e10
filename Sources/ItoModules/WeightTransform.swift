import ItoTensors

/// A replacement of weights: quantization, low-rank adaptation, pruning, sharding.
///
/// One of the two methods is enough; the other then keeps every weight of its kind.
public protocol WeightTransform: Sendable {
  /// What `replacement` can throw.
  associatedtype Failure: Error = Never
  /// The replacement for `weight` at `path`; `nil` keeps it and descends into what it wraps.
  func replacement(
    for weight: any WeightMatrix, at path: ModulePath
  ) throws(Failure) -> (any WeightMatrix)?
  /// The replacement for a convolution's `weight` at `path`, the same way.
  func replacement(
    for weight: any ConvolutionWeight, at path: ModulePath
  ) throws(Failure) -> (any ConvolutionWeight)?
}

extension WeightTransform {
  /// Keeps the weight.
  public func replacement(
    for weight: any WeightMatrix, at path: ModulePath
  ) throws(Failure) -> (any WeightMatrix)? { nil }

  /// Keeps the weight.
  public func replacement(
    for weight: any ConvolutionWeight, at path: ModulePath
  ) throws(Failure) -> (any ConvolutionWeight)? { nil }
}

private struct TransformVisitor<T: WeightTransform>: ModuleVisitor {
  typealias Failure = T.Failure
  var path = ModulePath()
  let transform: T
  var readsValues: Bool { false }

  mutating func visitParameter(_ tensor: inout Tensor) throws(T.Failure) {}
  mutating func visitWeight(_ weight: inout any WeightMatrix) throws(T.Failure) {
    if let new = try transform.replacement(for: weight, at: path) {
      weight = new
    } else {
      try weight.visit(&self)
    }
  }
  mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(T.Failure) {
    if let new = try transform.replacement(for: weight, at: path) {
      weight = new
    } else {
      try weight.visit(&self)
    }
  }
}

extension Module {
  /// A model with its weights replaced by `transform`; every untouched buffer is shared.
  public func applying<T: WeightTransform>(_ transform: T) throws(T.Failure) -> Self {
    var copy = self
    var visitor = TransformVisitor(transform: transform)
    try copy.visit(&visitor)
    return copy
  }
}
