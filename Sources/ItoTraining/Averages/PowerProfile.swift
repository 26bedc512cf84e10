public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Weights that rise as a power of time: an average whose length grows with the run.
///
/// After t updates the model of update τ weighs `(γ + 1)·τ^γ / t^(γ+1)`, hence
/// `decay(t) = (1 − 1/t)^(γ+1)`: nothing of the first weights stays, and no warm-up is needed. The
/// length is the standard deviation of that profile over t,
/// `√(γ + 1) / ((γ + 2)·√(γ + 3))`. From two such averages saved now and then, those of other lengths
/// can be had afterwards: see ``PostHocAverage``.
///
/// - Source: Karras et al. 2024, *Analyzing and Improving the Training Dynamics of Diffusion Models*,
///   arXiv:2312.02696, section 3.1 and appendix C.1.
public struct PowerProfile: AveragingProfile, Configurable, Hashable {
  /// `power`
  public static let name = "power"
  /// What it does.
  public static let summary = "weights rise as a power of time: an average of a share of the run"

  /// The longest length, of the average over everything: γ = 0.
  public static let longest = 1 / (12.0).squareRoot()

  /// Standard deviation of the profile as a share of the run so far.
  public let length: Double
  /// γ, the power.
  public let exponent: Double

  /// A profile of `length` ∈ (0, 0.2886].
  public init(length: Double) {
    self.length = length
    // The length falls as γ rises: halve an interval until doubles end.
    var (low, high) = (0.0, 1.0)
    while Self.length(exponent: high) > length { high *= 2 }
    while true {
      let middle = (low + high) / 2
      if middle <= low || middle >= high { break }
      if Self.length(exponent: middle) > length { low = middle } else { high = middle }
    }
    exponent = high
  }

  /// Option `length` (0.1).
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(length: try options.double("length", default: 0.1, in: 0.001...0.288))
  }

  /// `(1 − 1/n)^(γ+1)`
  public func decay(at update: Int) -> Double { pow(1 - 1 / Double(update), exponent + 1) }

  static func length(exponent: Double) -> Double {
    (exponent + 1).squareRoot() / ((exponent + 2) * (exponent + 3).squareRoot())
  }
}
