public import ItoComponents

/// Steps in the logarithm of sigma that shrink or grow by a power.
///
/// `log sigmaᵢ = log min + (1 − i/(n−1))^ρ·(log max − log min)`; ρ = 1 is the exponential spacing.
///
/// Over the range that the base spacing covers unless `sigma-min` or `sigma-max` say otherwise.
/// - Source: `get_sigmas_polyexponential` of k-diffusion.
public struct PolyexponentialSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "polyexponential"
  /// One line for tables.
  public static let summary = "a power of equal steps in the logarithm of sigma"

  /// Gives the range, and where the run ends.
  public var base: any StepSpacing
  /// The least sigma, if not the range's.
  public var minimum: Double?
  /// The greatest sigma, if not the range's.
  public var maximum: Double?
  /// ρ
  public var rho: Double

  /// The exponential spacing over the whole schedule unless told otherwise.
  public init(
    rho: Double = 1, minimum: Double? = nil, maximum: Double? = nil,
    base: any StepSpacing = UniformSpacing()
  ) {
    self.rho = rho
    self.minimum = minimum
    self.maximum = maximum
    self.base = base
  }

  /// Takes the options `rho`, `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      rho: try options.double("rho", default: 1, in: 0.01...100),
      minimum: try options.double("sigma-min", in: 1e-12...1e9),
      maximum: try options.double("sigma-max", in: 1e-12...1e9),
      base: UniformSpacing(final: try options.choice("final", default: .zero)))
  }

  /// The spacing for a picture of that many tokens.
  public func adapted(tokens: Int) -> any StepSpacing {
    var copy = self
    copy.base = base.adapted(tokens: tokens)
    return copy
  }

  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double {
    let ratio = logarithm(maximum / minimum)
    return minimum * exponential(power(1 - fraction, rho) * ratio)
  }
}
