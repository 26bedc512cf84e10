public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The process of Bayesian flow networks on continuous data, whose samples are the means that a network's
/// beliefs have: `alpha = γ`, `sigma = √(γ·(1 − γ))`, `γ = 1 − σ₁^{2(1 − time)}`.
///
/// Time runs from data to noise here, from prior to data there. At the prior γ is 0 and a sample says
/// nothing at all, not even how large its noise is, so the process ends a little before.
/// - Source: Xue et al. 2024, *Unifying Bayesian Flow Networks and Diffusion Models through Stochastic
///   Differential Equations*, arXiv:2404.15766, theorem 4.1; Graves et al. 2023, *Bayesian Flow
///   Networks*, arXiv:2308.07037, equation 80.
public struct BayesianFlow: NoiseSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "bayesian-flow"
  /// What other tools call it.
  public static let aliases = ["bfn"]
  /// One line for tables.
  public static let summary = "beliefs of Bayesian flow networks on continuous data"

  /// σ₁, the deviation of the beliefs at the end.
  public let finalDeviation: Double
  /// Time that is left out before the prior.
  public let margin: Double

  /// The variance and the margin of the paper's pictures unless told otherwise.
  public init(finalDeviation: Double = 1e-3, margin: Double = 1e-5) {
    self.finalDeviation = finalDeviation
    self.margin = margin
  }

  /// Takes the options `sigma-1`, `margin`.
  public init(options: inout OptionReader) throws(OptionError) {
    finalDeviation = try options.double("sigma-1", default: 1e-3, in: 1e-6...0.5)
    margin = try options.double("margin", default: 1e-5, in: 1e-9...0.1)
  }

  /// The level at `time`.
  public func level(at time: Double) -> NoiseLevel {
    let time = min(max(time, 0), 1)
    // σ₁^{2(1 − t)}, the share of its variance that the prior keeps, and γ without cancellation.
    let exponent = 2 * (1 - min(time, 1 - margin)) * log(finalDeviation)
    let gamma = -expm1(exponent)
    return NoiseLevel(time: time, alpha: gamma, sigma: (gamma * exp(exponent)).squareRoot())
  }

  /// The level with exactly this ratio: γ = 1/(1 + ratio²).
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    guard ratio > 0 else { return .clean }
    guard ratio.isFinite else { return level(at: 1) }
    let gamma = 1 / (1 + ratio * ratio)
    let time = 1 - log(ratio * ratio * gamma) / (2 * log(finalDeviation))
    return NoiseLevel(time: min(max(time, 0), 1), alpha: gamma, sigma: ratio * gamma)
  }
}
