public import ItoComponents

/// Equal steps in the ρ-th root of sigma: finer where there is little noise.
///
/// `sigmaᵢ = (max^(1/ρ) + i/(n−1)·(min^(1/ρ) − max^(1/ρ)))^ρ`
///
/// Over the range that the base spacing covers unless `sigma-min` or `sigma-max` say otherwise.
/// - Source: Karras et al. 2022, arXiv:2206.00364, equation 5.
public struct KarrasSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "karras"
  /// One line for tables.
  public static let summary = "finer at low noise, equal steps in the ρ-th root of sigma"

  /// Gives the range, and where the run ends.
  public var base: any StepSpacing
  /// The least sigma, if not the range's.
  public var minimum: Double?
  /// The greatest sigma, if not the range's.
  public var maximum: Double?
  /// ρ
  public var rho: Double

  /// The spacing of the paper over the whole schedule unless told otherwise.
  public init(
    rho: Double = 7, minimum: Double? = nil, maximum: Double? = nil,
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
      rho: try options.double("rho", default: 7, in: 1...1000),
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
    interpolated(from: maximum, to: minimum, at: fraction, rho: rho)
  }
}
