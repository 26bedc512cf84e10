public import ItoComponents

/// The network predicts the velocity of a straight flow, `u = noise − clean`.
///
/// On a flow `clean = x − sigma·u`. Any other level is first brought to a flow's scale, with
/// s = 1/(alpha + sigma): input `s·x`, `clean = s·x − s·sigma·u`. Defined at every level.
/// - Source: Liu et al. 2023, arXiv:2209.03003, equation 1; Lipman et al. 2023, arXiv:2210.02747.
public struct FlowPrediction: Parameterization, Configurable {
  /// Its name in the registry.
  public static let name = "flow"
  /// What other tools call it.
  public static let aliases = ["flow-prediction", "flow-velocity", "rectified-flow", "u"]
  /// One line for tables.
  public static let summary = "the network predicts noise − clean"

  /// What the network is told.
  public var time: ConditioningTime

  /// A network that is told 1,000 times the time unless told otherwise.
  public init(time: ConditioningTime = .scaled(1000)) { self.time = time }

  /// Takes the options `time-scale`, `time-offset`, `time-rounding`, `log-noise`.
  public init(options: inout OptionReader) throws(OptionError) {
    time = try ConditioningTime(options: &options, offset: 0)
  }

  /// How the output becomes the clean estimate.
  public func preconditioning(at level: NoiseLevel) -> Preconditioning {
    let sum = level.alpha + level.sigma
    let scale = abs(sum - 1) < 1e-12 ? 1 : 1 / sum
    return Preconditioning(
      skip: scale, output: -level.sigma * scale, input: scale, conditioningTime: time(level))
  }

  /// What the output should be.
  public func target(at level: NoiseLevel) -> TrainingTarget { TrainingTarget(clean: -1, noise: 1) }
}
