public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Quantiles of a beta distribution between the least and the greatest sigma: with α = β < 1 more steps at
/// both ends.
///
/// `sigmaᵢ = min + q(1 − i/(n−1))·(max − min)`, q the quantile function of Beta(α, β)
///
/// Over a `NoiseRange`.
/// - Source: Lee et al. 2024, *Beta Sampling is All You Need*, arXiv:2407.12173, section 3.3; over sigma as
///   in diffusers.
public struct BetaSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "beta-sigma"
  /// One line for tables.
  public static let summary = "quantiles of a beta distribution over sigma"

  /// What the levels lie in, and where the run ends.
  public var range: NoiseRange
  /// The distribution.
  public var distribution: BetaDistribution

  /// Beta(0.6, 0.6) over the whole schedule unless told otherwise.
  public init(
    distribution: BetaDistribution = BetaDistribution(alpha: 0.6, beta: 0.6),
    range: NoiseRange = NoiseRange()
  ) {
    self.distribution = distribution
    self.range = range
  }

  /// Takes the options `alpha`, `beta`, `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      distribution: try BetaDistribution(options: &options),
      range: try NoiseRange(options: &options))
  }

  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double {
    minimum + distribution.quantile(1 - fraction) * (maximum - minimum)
  }
}

/// The beta distribution with density in proportion to `x^{α−1}·(1 − x)^{β−1}`.
public struct BetaDistribution: Sendable, Hashable {
  /// α
  public var alpha: Double
  /// β
  public var beta: Double

  /// The distribution of `alpha`, `beta` > 0.
  public init(alpha: Double, beta: Double) {
    self.alpha = alpha
    self.beta = beta
  }

  init(options: inout OptionReader) throws(OptionError) {
    alpha = try options.double("alpha", default: 0.6, in: 0.05...50)
    beta = try options.double("beta", default: 0.6, in: 0.05...50)
  }

  /// The share of the distribution below `x`, to about 14 digits.
  ///
  /// - Source: Lentz 1976, doi:10.1364/AO.15.000668, on the continued fraction of Abramowitz & Stegun,
  ///   26.5.8.
  public func share(below x: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast below the mean.
    if x > (alpha + 1) / (alpha + beta + 2) {
      return 1 - BetaDistribution(alpha: beta, beta: alpha).share(below: 1 - x)
    }
    let scale = exp(
      lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta) + alpha * log(x) + beta * log1p(-x))
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (alpha + beta) * x / (alpha + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for m in 1...500 {
      let k = Double(m)
      let even = k * (beta - k) * x / ((alpha + 2 * k - 1) * (alpha + 2 * k))
      let odd = -(alpha + k) * (alpha + beta + k) * x / ((alpha + 2 * k) * (alpha + 2 * k + 1))
      var change = 1.0
      for term in [even, odd] {
        d = 1 + term * d
        c = 1 + term / c
        d = 1 / (abs(d) < tiny ? tiny : d)
        if abs(c) < tiny { c = tiny }
        change = c * d
        fraction *= change
      }
      if abs(change - 1) < 1e-16 { break }
    }
    return scale * fraction / alpha
  }

  /// The value below which `share` of the distribution lies, by bisection to double precision.
  public func quantile(_ share: Double) -> Double {
    if share <= 0 { return 0 }
    if share >= 1 { return 1 }
    // Near 1 the distance from 1 is what has digits.
    if share > 0.5 { return 1 - BetaDistribution(alpha: beta, beta: alpha).quantile(1 - share) }
    var (low, high) = (0.0, 1.0)
    while true {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { return middle }
      if self.share(below: middle) < share { low = middle } else { high = middle }
    }
  }
}
