public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Equal steps in the logarithm of sigma, which for variance-preserving models is log-SNR.
///
/// Over a `NoiseRange`.
/// - Source: Song et al. 2021, arXiv:2011.13456, section 3.4; `get_sigmas_exponential` of k-diffusion.
public struct ExponentialSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "exponential"
  /// One line for tables.
  public static let summary = "equal steps in the logarithm of sigma"

  /// What the levels lie in, and where the run ends.
  public var range: NoiseRange

  /// Over the whole schedule unless told otherwise.
  public init(
    range: NoiseRange = NoiseRange()
  ) {
    self.range = range
  }

  /// Takes the options `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      range: try NoiseRange(options: &options))
  }

  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double {
    // Not exact at the ends, as in other tools, where the last digit may decide the first timestep.
    exp(log(maximum) + fraction * (log(minimum) - log(maximum)))
  }
}
