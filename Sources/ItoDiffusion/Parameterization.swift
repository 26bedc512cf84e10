/// The four numbers that turn a network F into an estimate of the clean sample:
/// `clean = skip·x + output·F(input·x, conditioningTime)`.
public struct Preconditioning: Sendable, Hashable {
  /// Share of the noisy sample in the estimate.
  public var skip: Double
  /// Scale of the network's output.
  public var output: Double
  /// Scale of the network's input.
  public var input: Double
  /// What the network is told about the noise level.
  public var conditioningTime: Double

  /// The four numbers.
  public init(skip: Double, output: Double, input: Double, conditioningTime: Double) {
    self.skip = skip
    self.output = output
    self.input = input
    self.conditioningTime = conditioningTime
  }

  /// Whether there is an estimate: an ε network has none where the sample is pure noise.
  public var isFinite: Bool {
    skip.isFinite && output.isFinite && input.isFinite && conditioningTime.isFinite
  }
}

/// What a network is trained to output: `clean·x₀ + noise·ε`.
public struct TrainingTarget: Sendable, Hashable {
  /// Coefficient of the clean sample.
  public var clean: Double
  /// Coefficient of the noise.
  public var noise: Double

  /// The two coefficients.
  public init(clean: Double, noise: Double) {
    self.clean = clean
    self.noise = noise
  }
}

/// What a network's output means.
///
/// No solver ever sees it: they work on the clean estimate.
public protocol Parameterization: Sendable {
  /// How the output becomes the clean estimate at `level`. Not finite where it does not determine it.
  func preconditioning(at level: NoiseLevel) -> Preconditioning
  /// What the output should be at `level`; finite at every level a schedule has.
  func target(at level: NoiseLevel) -> TrainingTarget
}

extension NoiseLevel {
  /// `√(alpha² + sigma²)`: what a sample of unit data variance is divided by to have it again. Exactly
  /// 1 for variance-preserving levels, so that their samples are passed on as they are.
  var magnitude: Double {
    let squared = alpha * alpha + sigma * sigma
    return abs(squared - 1) < 1e-12 ? 1 : squared.squareRoot()
  }
}
