public import ItoComponents

/// Equal steps in the ρ-th root of sigma: finer where there is little noise.
///
/// `sigmaᵢ = (max^(1/ρ) + i/(n−1)·(min^(1/ρ) − max^(1/ρ)))^ρ`
///
/// Over a `NoiseRange`.
/// - Source: Karras et al. 2022, arXiv:2206.00364, equation 5.
public struct KarrasSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "karras"
  /// One line for tables.
  public static let summary = "finer at low noise, equal steps in the ρ-th root of sigma"

  /// What the levels lie in, and where the run ends.
  public var range: NoiseRange
  /// ρ
  public var rho: Double

  /// The spacing of the paper over the whole schedule unless told otherwise.
  public init(
    rho: Double = 7, range: NoiseRange = NoiseRange()
  ) {
    self.rho = rho
    self.range = range
  }

  /// Takes the options `rho`, `sigma-min`, `sigma-max`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      rho: try options.double("rho", default: 7, in: 1...1000),
      range: try NoiseRange(options: &options))
  }

  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double {
    interpolated(from: maximum, to: minimum, at: fraction, rho: rho)
  }
}
