public import ItoComponents

/// The network predicts the noise: `clean = (x − sigma·ε) / alpha`.
///
/// It sees samples of unit variance. Where alpha is 0 its output says nothing about the clean sample.
/// - Source: Ho et al. 2020, arXiv:2006.11239, equation 11.
public struct NoisePrediction: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "epsilon"
  /// What other tools call it.
  public static let aliases = ["eps", "noise", "ddpm-epsilon"]
  /// One line for tables.
  public static let summary = "the network predicts the noise"

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
    Preconditioning(
      skip: 1 / level.alpha, output: -level.sigma / level.alpha, input: 1 / level.magnitude,
      conditioningTime: time(level))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget { TrainingTarget(clean: 0, noise: 1) }
}
