/// How the learning rate falls after warm-up.
public protocol LearningRateDecay: Sendable {
  /// The share of the peak rate when `progress` ∈ [0, 1] of the steps after warm-up are done.
  func factor(at progress: Double) -> Double
}

/// The learning rate of every step: a linear warm-up to a peak, then a decay.
public struct LearningRate: Sendable {
  /// The largest rate.
  public var peak: Double
  /// Steps in which the rate rises to the peak; the first step has 1/warm-up of it.
  public var warmupSteps: Int
  /// Steps of the whole run, warm-up included; the decay ends here.
  public var totalSteps: Int
  /// What follows the warm-up.
  public var decay: any LearningRateDecay

  /// A rate that rises to `peak` in `warmupSteps` and then follows `decay`.
  public init(
    peak: Double, warmupSteps: Int = 0, totalSteps: Int,
    decay: any LearningRateDecay = ConstantRate()
  ) {
    self.peak = peak
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
    self.decay = decay
  }

  /// The rate of step `step`, counted from 0.
  public func rate(at step: Int) -> Double {
    if step < warmupSteps { return peak * Double(step + 1) / Double(warmupSteps) }
    let span = Double(max(1, totalSteps - warmupSteps))
    return peak * decay.factor(at: min(1, Double(step - warmupSteps) / span))
  }
}
