public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The rate falls along half a cosine.
///
/// `final + (1 − final) · (1 + cos π·p) / 2`, p from 0 at `start` to 1 at the end.
///
/// - Source: Loshchilov & Hutter 2016, *SGDR*, arXiv:1608.03983, equation 5, without restarts.
public struct CosineRate: LearningRateDecay, Configurable {
  /// `cosine`
  public static let name = "cosine"
  /// What it does.
  public static let summary = "half a cosine from the peak to a final share of it"

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
    final + (1 - final) * (1 + cos(.pi * fraction(of: progress, after: start))) / 2
  }
}

/// How much of what follows `start` is done.
func fraction(of progress: Double, after start: Double) -> Double {
  progress <= start ? 0 : min(1, (progress - start) / (1 - start))
}
