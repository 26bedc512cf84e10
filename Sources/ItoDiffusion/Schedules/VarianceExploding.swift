public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Noise is added and nothing is scaled: `x = clean + sigma·noise`, sigma from `minimum` at time 0 to
/// `maximum` at time 1.
///
/// `sigma = (a + time·(b − a))^ρ`, a and b the ρ-th roots of the ends; a geometric sequence when ρ is
/// infinite. Time 0 is not without noise: a run ends at `NoiseLevel.clean` beyond it.
///
/// - Source: Karras et al. 2022, *Elucidating the Design Space of Diffusion-Based Generative Models*
///   (EDM), arXiv:2206.00364, equation 5; geometric: Song et al. 2021, arXiv:2011.13456, section 3.4.
public struct VarianceExploding: NoiseSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "variance-exploding"
  /// What other tools call it.
  public static let aliases = ["edm", "karras-ve", "ve"]
  /// One line for tables.
  public static let summary = "noise added to an unscaled sample (EDM)"

  /// The least sigma.
  public let minimum: Double
  /// The greatest sigma.
  public let maximum: Double
  /// Curvature: the larger, the more of time is spent at low noise.
  public let rho: Double

  /// The range and curvature of EDM unless told otherwise.
  public init(minimum: Double = 0.002, maximum: Double = 80, rho: Double = 7) {
    self.minimum = minimum
    self.maximum = maximum
    self.rho = rho
  }

  /// Takes the options `sigma-min`, `sigma-max`, `geometric`, `rho`.
  public init(options: inout OptionReader) throws(OptionError) {
    minimum = try options.double("sigma-min", default: 0.002, in: 1e-12...1e6)
    maximum = try options.double("sigma-max", default: 80, in: 1e-12...1e9)
    let isGeometric = try options.bool("geometric", default: false)
    let rho = try options.double("rho", default: 7, in: 1...1000)
    self.rho = isGeometric ? .infinity : rho
    guard minimum < maximum else {
      throw .invalidValue(key: "sigma-min", value: "\(minimum)", allowed: "less than sigma-max")
    }
  }

  /// The level at `time`.
  public func level(at time: Double) -> NoiseLevel {
    let time = min(max(time, 0), 1)
    let sigma = interpolated(from: minimum, to: maximum, at: time, rho: rho)
    return NoiseLevel(time: time, alpha: 1, sigma: sigma)
  }

  /// The level with exactly this ratio.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    guard ratio > 0 else { return .clean }
    func coordinate(_ sigma: Double) -> Double { rho.isFinite ? pow(sigma, 1 / rho) : log(sigma) }
    let (low, high) = (coordinate(minimum), coordinate(maximum))
    let time = (coordinate(ratio) - low) / (high - low)
    return NoiseLevel(time: min(max(time, 0), 1), alpha: 1, sigma: ratio)
  }
}

/// `(a^(1/ρ) + fraction·(b^(1/ρ) − a^(1/ρ)))^ρ`; geometric when ρ is infinite. Exact at the ends.
func interpolated(
  from a: Double, to b: Double, at fraction: Double, rho: Double
) -> Double {
  if fraction <= 0 { return a }
  if fraction >= 1 { return b }
  if rho.isFinite {
    let (low, high) = (pow(a, 1 / rho), pow(b, 1 / rho))
    return pow(low + fraction * (high - low), rho)
  }
  return exp(log(a) + fraction * (log(b) - log(a)))
}
