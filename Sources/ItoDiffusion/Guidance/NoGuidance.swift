public import ItoComponents
public import ItoTensors

/// The conditional estimate as it is: one evaluation.
public struct NoGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "none"
  /// One line for tables.
  public static let summary = "the conditional estimate as it is"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] { [.conditional] }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor { estimates[0] }
}
