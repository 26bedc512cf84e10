public import ItoComponents

/// The same share at each update: weights that fall exponentially into the past.
///
/// While warming up, the share rises from 0.1 as `min(decay, n / (9 + n))` over the updates n, so that
/// the first weights are soon forgotten.
///
/// - Source: Polyak & Juditsky 1992, *Acceleration of Stochastic Approximation by Averaging*,
///   doi:10.1137/0330046; the warm-up is that of TensorFlow's `ExponentialMovingAverage`.
public struct ExponentialProfile: AveragingProfile, Configurable, Hashable {
  /// `exponential`
  public static let name = "exponential"
  /// Its common name.
  public static let aliases = ["ema"]
  /// What it does.
  public static let summary = "a fixed share stays at each step"

  /// The share that stays, once warm.
  public var share: Double
  /// Whether it rises.
  public var warmsUp: Bool

  /// A profile in which `share` stays.
  public init(decay share: Double, warmsUp: Bool = true) {
    self.share = share
    self.warmsUp = warmsUp
  }

  /// Options `decay` (0.999) and `warmup` (true).
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      decay: try options.double("decay", default: 0.999, in: 0...0.999_999_9),
      warmsUp: try options.bool("warmup", default: true))
  }

  /// `min(decay, n / (9 + n))`
  public func decay(at update: Int) -> Double {
    warmsUp ? min(share, Double(update) / Double(9 + update)) : share
  }
}
