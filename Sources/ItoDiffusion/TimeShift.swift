#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Moves the times of a flow towards the noisy end, more so for larger pictures:
/// `t ↦ factor·t / (1 + (factor − 1)·t)`.
///
/// - Source: Esser et al. 2024, *Scaling Rectified Flow Transformers for High-Resolution Image
///   Synthesis*, arXiv:2403.03206, equation 23.
public struct TimeShift: Sendable, Hashable {
  /// 1 changes nothing; Stable Diffusion 3 uses 3.
  public var factor: Double

  /// A shift by `factor` > 0.
  public init(_ factor: Double) { self.factor = factor }

  /// No shift.
  public static let none = TimeShift(1)

  /// The shift by `exp(mu)`.
  public static func exponential(_ mu: Double) -> TimeShift { TimeShift(exp(mu)) }

  /// `time` shifted; 0 and 1 stay.
  public func callAsFunction(_ time: Double) -> Double {
    factor * time / (1 + (factor - 1) * time)
  }
}

/// A shift that grows with the number of image tokens: μ is linear in it, the factor `exp(μ)`.
///
/// - Source: Black Forest Labs 2024, FLUX.1, published inference code.
public struct ResolutionShift: Sendable, Hashable {
  /// μ at `baseTokens`.
  public var baseShift: Double
  /// μ at `maximumTokens`.
  public var maximumShift: Double
  /// Tokens of the smallest picture.
  public var baseTokens: Int
  /// Tokens of the largest picture.
  public var maximumTokens: Int
  /// Whether the factor is `exp(μ)`; else it is μ itself.
  public var isExponential: Bool

  /// The shift of FLUX.1 unless told otherwise.
  public init(
    baseShift: Double = 0.5, maximumShift: Double = 1.15, baseTokens: Int = 256,
    maximumTokens: Int = 4096, isExponential: Bool = true
  ) {
    self.baseShift = baseShift
    self.maximumShift = maximumShift
    self.baseTokens = baseTokens
    self.maximumTokens = maximumTokens
    self.isExponential = isExponential
  }

  /// The shift for a picture of `tokens` tokens, beyond the two sizes too.
  public func shift(tokens: Int) -> TimeShift {
    let slope = (maximumShift - baseShift) / Double(maximumTokens - baseTokens)
    return shift(mu: baseShift + slope * Double(tokens - baseTokens))
  }

  /// The shift for a given μ.
  public func shift(mu: Double) -> TimeShift {
    isExponential ? .exponential(mu) : TimeShift(mu)
  }
}
