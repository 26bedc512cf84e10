public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Variance-preserving, with `alpha = cos θ / cos θ₀` and the angle θ rising evenly with time.
///
/// θ runs from `θ₀ = s/(1+s) · π/2` to where alpha is `terminalAlpha`, a little before the right angle
/// at which an ε network could no longer be inverted. No clipping: alpha falls smoothly to its end.
///
/// - Source: Nichol & Dhariwal 2021, arXiv:2102.09672, equation 17. Differs: ends at `terminalAlpha`.
public struct Cosine: NoiseSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "cosine"
  /// What other tools call it.
  public static let aliases = ["squared-cosine"]
  /// One line for tables.
  public static let summary = "alpha is the cosine of an angle that rises evenly"

  /// s, which keeps the noise of the first steps visible.
  public let offset: Double
  /// Alpha at time 1; 0 for pure noise.
  public let terminalAlpha: Double
  private let first: Double
  private let last: Double

  /// The schedule of the paper, ending at alpha 0.001, unless told otherwise.
  public init(offset: Double = 0.008, terminalAlpha: Double = 1e-3) {
    self.offset = offset
    self.terminalAlpha = terminalAlpha
    first = offset / (1 + offset) * Double.pi / 2
    last = acos(terminalAlpha * cos(first))
  }

  /// Takes the options `offset`, `terminal-alpha`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      offset: try options.double("offset", default: 0.008, in: 0...1),
      terminalAlpha: try options.double("terminal-alpha", default: 1e-3, in: 0...0.5))
  }

  /// The level at `time`.
  public func level(at time: Double) -> NoiseLevel {
    let time = min(max(time, 0), 1)
    if time == 0 { return .clean }
    let alpha = time == 1 ? terminalAlpha : cos(first + time * (last - first)) / cos(first)
    return NoiseLevel(time: time, alpha: alpha, sigma: (1 - alpha * alpha).squareRoot())
  }

  /// The level with exactly this ratio.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    guard ratio > 0 else { return .clean }
    var level = NoiseLevel(time: 1, noiseToSignal: ratio)
    let time = (acos(level.alpha * cos(first)) - first) / (last - first)
    level.time = min(max(time, 0), 1)
    return level
  }
}
