public import ItoComponents
public import ItoDiffusion

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Times whose logit is normal: the middle of the schedule more often than its ends.
///
/// `log(t / (1 − t)) ~ N(mean, deviation²)`; a positive mean favours noisy levels.
///
/// - Source: Esser et al. 2024, *Scaling Rectified Flow Transformers for High-Resolution Image
///   Synthesis*, arXiv:2403.03206, equation 19.
public struct LogitNormalTimes: TimeSampling, Configurable {
  /// `logit-normal`
  public static let name = "logit-normal"
  /// What it does.
  public static let summary = "the middle of the schedule more often than its ends"

  /// Mean of the logit.
  public var mean: Double
  /// Standard deviation of the logit.
  public var deviation: Double

  /// Times whose logit has `mean` and `deviation`.
  public init(mean: Double = 0, deviation: Double = 1) {
    self.mean = mean
    self.deviation = deviation
  }

  /// Options `mean` (0) and `deviation` (1).
  public init(options: inout OptionReader) throws(OptionError) {
    mean = try options.double("mean", default: 0)
    deviation = try options.double("deviation", default: 1, in: 0.01...100)
  }

  /// The level at the time of that quantile.
  public func level(at quantile: Double, on schedule: any NoiseSchedule) -> NoiseLevel {
    let logit = mean + deviation * normalQuantile(quantile)
    return schedule.trainingLevel(1 / (1 + exp(-logit)))
  }
}
