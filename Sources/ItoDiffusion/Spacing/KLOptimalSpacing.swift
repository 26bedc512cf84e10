public import ItoComponents

/// Equal steps in the angle whose tangent is sigma.
///
/// `sigmaᵢ = tan(i/(n−1)·atan min + (1 − i/(n−1))·atan max)`: equal steps of the cosine process, which for
/// unit Gaussian data minimises the KL divergence of the run from the true process.
///
/// Over the range that the base spacing covers unless `sigma-min` or `sigma-max` say otherwise.
/// - Source: Sabour et al. 2024, *Align Your Steps*, arXiv:2404.14507, theorem 3.1.
public struct KLOptimalSpacing: RangeSpacing, Configurable {
  /// Its name in the registry.
  public static let name = "kl-optimal"
  /// One line for tables.
  public static let summary = "equal steps in the angle whose tangent is sigma"

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
    tangent(fraction * arcTangent(minimum, 1) + (1 - fraction) * arcTangent(maximum, 1))
  }
}
