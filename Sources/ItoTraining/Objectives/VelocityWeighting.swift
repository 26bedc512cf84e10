public import ItoComponents
public import ItoDiffusion

/// The squared error of a flow's velocity, whatever the network predicts.
///
/// `1 / max(sigma, floor)²` on the clean estimate: a velocity `noise − clean` read off a clean estimate is
/// wrong by the estimate's error over sigma. The floor keeps nearly clean samples from drowning the rest.
///
/// - Source: Li & He 2025, *Back to Basics: Let Denoising Generative Models Denoise*, arXiv:2511.13720,
///   clean prediction with the loss on v, and its bound on the denominator.
public struct VelocityWeighting: LossWeighting, Configurable {
  /// `velocity`
  public static let name = "velocity"
  /// What it does.
  public static let summary = "the error of the flow's velocity, whatever is predicted"

  /// The least sigma that is divided by.
  public var floor: Double

  /// The weighting with that floor.
  public init(floor: Double = 0.1) { self.floor = floor }

  /// Option `floor` (0.1).
  public init(options: inout OptionReader) throws(OptionError) {
    floor = try options.double("floor", default: 0.1, in: 1e-6...1)
  }

  /// `output² / max(sigma, floor)²`
  public func outputWeight(at level: NoiseLevel, _ preconditioning: Preconditioning) -> Double {
    let ratio = preconditioning.output / max(level.sigma, floor)
    return ratio * ratio
  }
}
