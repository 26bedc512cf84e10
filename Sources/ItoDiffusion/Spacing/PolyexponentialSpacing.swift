public import ItoComponents

/// Steps in the logarithm of sigma that shrink or grow by a power.
///
/// `log sigmaᵢ = log min + (1 − i/(n−1))^ρ·(log max − log min)`; ρ = 1 is the exponential spacing.
///
/// Over a `NoiseRange`.
/// - Source: `get_sigmas_polyexponential` of k-diffusion.
public struct PolyexponentialSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "polyexponential"
  /// One line for tables.
  public static let summary = "a power of equal steps in the logarithm of sigma"

  /// What the levels lie in, and where the run ends.
  public var range: NoiseRange
  /// ρ
  public var rho: Double

  /// The exponential spacing over the whole schedule unless told otherwise.
  public init(
    rho: Double = 1, range: NoiseRange = NoiseRange()
  ) {
    self.rho = rho
    self.range = range
  }

  /// Takes the options `rho`, `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      rho: try options.double("rho", default: 1, in: 0.01...100),
      range: try NoiseRange(options: &options))
  }

  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double {
    let ratio = logarithm(maximum / minimum)
    return minimum * exponential(power(1 - fraction, rho) * ratio)
  }
}
