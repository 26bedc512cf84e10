public import ItoModules

/// What a run tells while it goes on.
public enum TrainingEvent<Model: Module>: Sendable {
  /// A step is done. `samplesPerSecond` is over the last few seconds.
  case step(TrainingStep, loss: LossSummary, samplesPerSecond: Double)
  /// A step was skipped because something was not finite.
  case skipped(TrainingStep, NonFinite)
  /// The model was measured on held-out data after `step` steps.
  case validation(step: Int, measures: [(name: String, value: Double)])
  /// A checkpoint was written.
  case checkpoint(step: Int, file: String)
  /// It is time to draw pictures: the model to draw them with.
  case sample(step: Int, model: Model)
}

/// How a run ended.
public enum TrainingOutcome: Sendable, Hashable {
  /// All steps are done.
  case finished
  /// It was asked to stop after this many steps; it can be resumed.
  case stopped(step: Int)
}
