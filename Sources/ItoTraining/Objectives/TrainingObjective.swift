public import ItoModules
public import ItoTensors

/// What a model is trained for: a loss over batches of some kind.
///
/// An objective is a value and is asked for the same loss again when a run is resumed, so everything
/// random comes from `noise`. A frozen teacher or a perceptual network is a stored property.
public protocol TrainingObjective: Sendable {
  /// What is trained.
  associatedtype Model: Module
  /// What it is trained on.
  associatedtype Batch: Sendable

  /// The mean loss over `batch`, one element.
  func loss(of model: Model, on batch: Batch, noise: inout NoiseSource) -> Tensor

  /// Measures of `model` on held-out data, each a mean over `batch`, by name. The loss alone unless
  /// implemented.
  func measures(
    of model: Model, on batch: Batch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)]
}

extension TrainingObjective {
  /// `loss`
  public func measures(
    of model: Model, on batch: Batch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    [("loss", Double(loss(of: model, on: batch, noise: &noise).item))]
  }
}
