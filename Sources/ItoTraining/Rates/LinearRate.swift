public import ItoComponents

/// The rate falls in a straight line.
public struct LinearRate: LearningRateDecay, Configurable {
  /// `linear`
  public static let name = "linear"
  /// What it does.
  public static let summary = "a straight line from the peak to a final share of it"

  /// The share of the peak at the end.
  public var final: Double
  /// The share of the steps during which the rate stays at its peak.
  public var start: Double

  /// A fall to `final` of the peak, beginning when `start` of the steps are done.
  public init(final: Double = 0, start: Double = 0) {
    self.final = final
    self.start = start
  }

  /// Options `final` (0) and `start` (0).
  public init(options: inout OptionReader) throws(OptionError) {
    final = try options.double("final", default: 0, in: 0...1)
    start = try options.double("start", default: 0, in: 0...1)
  }

  /// The share of the peak.
  public func factor(at progress: Double) -> Double {
    1 + (final - 1) * fraction(of: progress, after: start)
  }
}
