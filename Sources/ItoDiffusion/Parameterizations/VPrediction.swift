public import ItoComponents

/// The network predicts `v = alpha·ε − sigma·x₀` of the variance-preserving form of the sample:
/// `clean = alpha·x − sigma·v`, defined at every level.
///
/// With m = √(alpha² + sigma²): input `x/m`, `clean = (alpha/m²)·x − (sigma/m)·v`.
/// - Source: Salimans & Ho 2022, *Progressive Distillation for Fast Sampling of Diffusion Models*,
///   arXiv:2202.00512, appendix D.
public struct VPrediction: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "v"
  /// What other tools call it.
  public static let aliases = ["v-prediction", "velocity"]
  /// One line for tables.
  public static let summary = "the network predicts alpha·noise − sigma·clean"

  /// What the network is told.
  public var time: ConditioningTime

  /// A network that is told one of 1,000 timesteps unless told otherwise.
  public init(time: ConditioningTime = .timestep()) { self.time = time }

  /// Takes the options `time-scale`, `time-offset`, `time-rounding`, `log-noise`.
  public init(options: inout OptionReader) throws(OptionError) {
    time = try ConditioningTime(options: &options, offset: -1)
  }

  /// How the output becomes the clean estimate.
  public func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let m = level.magnitude
    return Preconditioning(
      skip: level.alpha / (m * m), output: -level.sigma / m, input: 1 / m,
      conditioningTime: time(level))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget {
    let m = level.magnitude
    return TrainingTarget(clean: -level.sigma / m, noise: level.alpha / m)
  }
}
