public import ItoComponents

/// Equal steps in the angle whose tangent is sigma.
///
/// `sigmaᵢ = tan(i/(n−1)·atan min + (1 − i/(n−1))·atan max)`: equal steps of the cosine process, which for
/// unit Gaussian data minimises the KL divergence of the run from the true process.
///
/// Over a `NoiseRange`.
/// - Source: Sabour et al. 2024, *Align Your Steps*, arXiv:2404.14507, theorem 3.1.
public struct KLOptimalSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "kl-optimal"
  /// One line for tables.
  public static let summary = "equal steps in the angle whose tangent is sigma"

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
    tangent(fraction * arcTangent(minimum, 1) + (1 - fraction) * arcTangent(maximum, 1))
  }
}
