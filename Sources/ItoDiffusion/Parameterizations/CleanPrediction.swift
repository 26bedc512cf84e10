public import ItoComponents

/// The network predicts the clean sample itself from a sample of unit variance.
///
/// - Source: Ho et al. 2020, arXiv:2006.11239, section 3.2.
public struct CleanPrediction: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "clean"
  /// What other tools call it.
  public static let aliases = ["x0", "sample", "original-sample", "x-start"]
  /// One line for tables.
  public static let summary = "the network predicts the clean sample"

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
      skip: 0, output: 1, input: 1 / level.magnitude, conditioningTime: time(level))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget { TrainingTarget(clean: 1, noise: 0) }
}
