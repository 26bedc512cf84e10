public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Equal steps in the logarithm of sigma, which for variance-preserving models is log-SNR.
///
/// Over the range that the base spacing covers unless `sigma-min` or `sigma-max` say otherwise.
/// - Source: Song et al. 2021, arXiv:2011.13456, section 3.4; `get_sigmas_exponential` of k-diffusion.
public struct ExponentialSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "exponential"
  /// One line for tables.
  public static let summary = "equal steps in the logarithm of sigma"

  /// Gives the range, and where the run ends.
  public var base: any StepSpacing
  /// The least sigma, if not the range's.
  public var minimum: Double?
  /// The greatest sigma, if not the range's.
  public var maximum: Double?

  /// Over the whole schedule unless told otherwise.
  public init(
    minimum: Double? = nil, maximum: Double? = nil, base: any StepSpacing = UniformSpacing()
  ) {
    self.minimum = minimum
    self.maximum = maximum
    self.base = base
  }

  /// Takes the options `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
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
    // Not exact at the ends, as in other tools, where the last digit may decide the first timestep.
    exp(log(maximum) + fraction * (log(minimum) - log(maximum)))
  }
}
