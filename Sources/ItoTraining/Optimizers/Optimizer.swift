public import ItoModules

/// Turns gradients into new weights, in place.
///
/// An optimizer is a value that owns what it remembers of each parameter, by path. Parameters that are
/// not float32 have their float32 master there: it is what is updated, and the rounded copy in the
/// model is written in the same pass.
public protocol Optimizer: Sendable {
  /// What it remembers.
  var memory: OptimizerMemory { get set }

  /// Applies one step of `gradients`, each times `gradientScale`, to the parameters that have one.
  mutating func update<M: Module>(
    _ model: inout M, with gradients: Gradients, learningRate: Double, gradientScale: Double)
}
