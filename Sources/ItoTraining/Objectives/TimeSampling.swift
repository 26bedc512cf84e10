public import ItoDiffusion

/// Which noise levels a network is trained at, and how often.
///
/// A sampling is the quantile function of a distribution over levels: a uniform number in, a level
/// out. Drawing the uniform numbers evenly over a batch then stratifies any of them.
public protocol TimeSampling: Sendable {
  /// The level at `quantile` ∈ (0, 1).
  func level(at quantile: Double, on schedule: any NoiseSchedule) -> NoiseLevel
}
