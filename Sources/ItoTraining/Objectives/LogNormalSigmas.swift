public import ItoComponents
public import ItoDiffusion

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Noise-to-signal ratios whose logarithm is normal, the choice of EDM.
///
/// `log(sigma / alpha) ~ N(mean, deviation²)`
///
/// - Source: Karras et al. 2022, *Elucidating the Design Space of Diffusion-Based Generative Models*,
///   arXiv:2206.00364, table 1: mean −1.2, deviation 1.2.
public struct LogNormalSigmas: TimeSampling, Configurable {
  /// `log-normal`
  public static let name = "log-normal"
  /// Its common name.
  public static let aliases = ["edm"]
  /// What it does.
  public static let summary = "sigma / alpha with a normal logarithm, as EDM"

  /// Mean of the logarithm.
  public var mean: Double
  /// Standard deviation of the logarithm.
  public var deviation: Double

  /// Ratios whose logarithm has `mean` and `deviation`.
  public init(mean: Double = -1.2, deviation: Double = 1.2) {
    self.mean = mean
    self.deviation = deviation
  }

  /// Options `mean` (−1.2) and `deviation` (1.2).
  public init(options: inout OptionReader) throws(OptionError) {
    mean = try options.double("mean", default: -1.2)
    deviation = try options.double("deviation", default: 1.2, in: 0.01...100)
  }

  /// The level with the ratio of that quantile.
  public func level(at quantile: Double, on schedule: any NoiseSchedule) -> NoiseLevel {
    schedule.level(noiseToSignal: exp(mean + deviation * normalQuantile(quantile)))
  }
}
