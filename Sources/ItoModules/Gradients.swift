public import ItoTensors

/// Gradients of a loss, by parameter path. They live here and never in the parameters.
public struct Gradients: Sendable {
  /// The gradients.
  public var byPath: [ModulePath: Tensor] = [:]

  /// No gradients.
  public init() {}

  /// The gradient of the parameter at `path`, nil when the loss does not depend on it.
  public subscript(path: ModulePath) -> Tensor? { byPath[path] }

  /// Adds `other`, for micro-batches and data parallelism.
  public mutating func accumulate(_ other: Gradients) {
    for (path, gradient) in other.byPath {
      // In place: a merge would hold both sums while it adds.
      if byPath[path]?.accumulate(gradient) == nil { byPath[path] = gradient }
    }
  }

  /// Multiplies every gradient by `factor`.
  public mutating func scale(by factor: Double) {
    for (path, gradient) in byPath { byPath[path] = factor * gradient }
  }
}

private struct Track: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  let isTrainable: (ModulePath) -> Bool
  var leaves: [Leaf: ModulePath] = [:]

  mutating func visitParameter(_ tensor: inout Tensor) {
    guard tensor.dtype.isFloatingPoint, isTrainable(path) else { return }
    let (tracked, leaf) = tensor.tracked()
    tensor = tracked
    leaves[leaf] = path
  }
}

/// Evaluates `loss` at `model` and differentiates it by every trainable parameter.
///
/// - Parameters:
///   - model: copied (free); its trainable tensors become the start of the gradient history.
///   - isTrainable: which parameters to differentiate; the whole of freezing and adapter-only training.
///   - loss: must return one element.
/// - Returns: the loss without history, and the gradients (float32 or the parameter's type).
public func valueWithGradient<M: Module, E: Error>(
  at model: M, where isTrainable: (ModulePath) -> Bool = { _ in true },
  of loss: (M) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients) {
  var leaves: [Leaf: ModulePath] = [:]
  let value: Tensor
  do {
    var tracked = model
    leaves = withoutActuallyEscaping(isTrainable) { isTrainable in
      var track = Track(isTrainable: isTrainable)
      tracked.visit(&track)
      return track.leaves
    }
    value = try loss(tracked)
  }
  require(value.shape.count == 1, "a loss of shape \(value.shape); reduce it to one element")
  var result = Gradients()
  for (leaf, gradient) in value.gradients() {
    if let path = leaves[leaf] { result.byPath[path] = gradient }
  }
  return (value.detached(), result)
}
