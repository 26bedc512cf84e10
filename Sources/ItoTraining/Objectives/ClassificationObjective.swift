public import ItoModules
public import ItoTensors

/// Trains a classifier: cross entropy against the label, optionally smoothed.
///
/// `−Σ_c q_c log p_c`, `q = (1 − s)·onehot + s / classes`
///
/// - Source: smoothing after Szegedy et al. 2016, arXiv:1512.00567, §7.
public struct ClassificationObjective<M: Module>: TrainingObjective {
  /// What is classified by: pictures `[batch, height, width, channels]` to logits `[batch, classes]`.
  public var logits: @Sendable (M, Tensor) -> Tensor
  /// Element type the pictures are given in.
  public var computeType: DType
  /// s: the share of the target spread over all classes.
  public var smoothing: Double

  /// An objective for a model evaluated by `logits`.
  public init(
    computeType: DType = .float32, smoothing: Double = 0,
    logits: @escaping @Sendable (M, Tensor) -> Tensor
  ) {
    self.logits = logits
    self.computeType = computeType
    self.smoothing = smoothing
  }

  /// The mean cross entropy over the batch.
  public func loss(of model: M, on batch: ImageBatch, noise: inout NoiseSource) -> Tensor {
    logits(model, batch.images.cast(to: computeType))
      .crossEntropy(batch.labels, smoothing: smoothing).mean()
  }

  /// `loss` without smoothing, and `accuracy`.
  public func measures(
    of model: M, on batch: ImageBatch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    let outputs = logits(model, batch.images.cast(to: computeType))
    let chosen = outputs.cast(to: .float32).argMax(axis: -1).integers
    let correct = zip(chosen, batch.labels).count { $0 == Int($1) }
    return [
      ("loss", Double(outputs.crossEntropy(batch.labels).mean().item)),
      ("accuracy", Double(correct) / Double(max(1, batch.count))),
    ]
  }
}
