public import ItoComponents

/// The rate stays at its peak.
public struct ConstantRate: LearningRateDecay, Configurable {
  /// `constant`
  public static let name = "constant"
  /// What it does.
  public static let summary = "the rate stays at its peak"

  /// The one constant rate.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// 1
  public func factor(at progress: Double) -> Double { 1 }
}
