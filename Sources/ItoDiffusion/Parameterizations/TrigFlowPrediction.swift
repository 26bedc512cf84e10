public import ItoComponents

/// The network predicts the velocity of a trigonometric flow, scaled by the data's deviation d:
/// `clean = alpha·x − (sigma/d)·F`.
///
/// F is `d·cos θ·noise − sin θ·clean` for sigma = d·sin θ, and the network is told θ. Defined at every
/// level.
/// - Source: Lu & Song 2024 (sCM), arXiv:2410.11081, equation 3.
public struct TrigFlowPrediction: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "trigflow"
  /// One line for tables.
  public static let summary = "the network predicts the velocity of a trigonometric flow"

  /// Standard deviation of the data.
  public var dataDeviation: Double

  /// For data of deviation 0.5 unless told otherwise.
  public init(dataDeviation: Double = 0.5) { self.dataDeviation = dataDeviation }

  /// Takes the option `data-deviation`.
  public init(options: inout OptionReader) throws(OptionError) {
    dataDeviation = try options.double("data-deviation", default: 0.5, in: 1e-6...1e6)
  }

  /// α and σ/d brought to the circle, where other schedules are not on it.
  private func turned(_ level: NoiseLevel) -> (cosine: Double, sine: Double, radius: Double) {
    let sine = level.sigma / dataDeviation
    let squared = level.alpha * level.alpha + sine * sine
    let radius = abs(squared - 1) < 1e-12 ? 1 : squared.squareRoot()
    return (level.alpha / radius, sine / radius, radius)
  }

  /// How the output becomes the clean estimate.
  public func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let (cosine, sine, radius) = turned(level)
    return Preconditioning(
      skip: cosine / radius, output: -sine, input: 1 / radius,
      conditioningTime: arcTangent(sine, cosine))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget {
    let (cosine, sine, _) = turned(level)
    return TrainingTarget(clean: -sine, noise: dataDeviation * cosine)
  }
}
