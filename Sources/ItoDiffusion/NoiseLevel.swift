#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How much noise a sample has: `x = alpha·clean + sigma·noise`, noise unit normal.
///
/// Schedules, parameterizations and solvers meet in these coordinates, so that one solver serves
/// variance-preserving, variance-exploding and flow models alike.
public struct NoiseLevel: Sendable, Hashable {
  /// Where on its schedule the level is: 0 without noise, 1 with the most. What a network is told
  /// is derived from it.
  public var time: Double
  /// Scale of the clean sample.
  public var alpha: Double
  /// Scale of the noise, in data standard deviations.
  public var sigma: Double

  /// A level; custom sigmas are just levels.
  public init(time: Double, alpha: Double, sigma: Double) {
    self.time = time
    self.alpha = alpha
    self.sigma = sigma
  }

  /// A level of a variance-preserving process, `alpha² + sigma² = 1`, where `sigma / alpha` is
  /// `ratio`; infinity gives pure noise.
  public init(time: Double, noiseToSignal ratio: Double) {
    if ratio < 1 {
      let alpha = 1 / (1 + ratio * ratio).squareRoot()
      self.init(time: time, alpha: alpha, sigma: ratio * alpha)
    } else {
      let inverse = 1 / ratio
      let sigma = 1 / (1 + inverse * inverse).squareRoot()
      self.init(time: time, alpha: inverse * sigma, sigma: sigma)
    }
  }

  /// No noise.
  public static let clean = NoiseLevel(time: 0, alpha: 1, sigma: 0)

  /// `sigma / alpha`: the sigma of samplers that keep alpha at 1. Infinity for pure noise.
  public var noiseToSignal: Double { sigma / alpha }

  /// `sigma / (alpha + sigma)`: the time of a straight flow, from 0 to 1.
  public var noiseFraction: Double { sigma / (alpha + sigma) }

  /// λ = log(alpha / sigma); −infinity for pure noise, infinity without noise.
  public var halfLogSNR: Double { log(alpha / sigma) }
}
