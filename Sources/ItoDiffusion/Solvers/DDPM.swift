public import ItoComponents
public import ItoTensors

/// A step of the reversed Markov chain: the posterior's mean, and noise of a chosen variance.
///
/// With the variance of the forward step `v = σ_c² − (α_c/αₙ)²·σₙ²`:
/// `x_next = (α_c/αₙ)·(σₙ²/σ_c²)·x + αₙ·(v/σ_c²)·clean + d·z`, where d² is `v·σₙ²/σ_c²` (small), v (large), or
/// between the two in the logarithm (range).
/// - Order: 1 in the mean. One evaluation a step; no noise in a step to sigma 0.
/// - Domain: from pure noise too.
/// - Source: Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv:2006.11239, equations 6, 7
///   and section 3.2; range: Nichol & Dhariwal 2021, arXiv:2102.09672, equation 15. Differs:
///   `fixed_large_log` of diffusers takes the root of a logarithm and is read as large.
public struct DDPM: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "ddpm"
  /// What other tools call it.
  public static let aliases = ["DDPMScheduler"]
  /// One line for tables.
  public static let summary = "a step of the reversed Markov chain"

  /// Between the small variance, 0, and the large one, 1, in the logarithm.
  public var variance: Double
  /// The clean estimate is kept within ± this, if given.
  public var clip: Double?

  /// The small variance without clipping unless told otherwise.
  public init(variance: Double = 0, clip: Double? = nil) {
    self.variance = variance
    self.clip = clip
  }

  /// Takes the options `variance`, `clip`.
  public init(options: inout OptionReader) throws(OptionError) {
    variance = try options.double("variance", default: 0, in: 0...1)
    clip = try options.double("clip", in: 0...1e6)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: true, source: "arXiv:2006.11239")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let estimate = try denoise(x, current)
    let clean = clip.map { estimate.clamped(to: -$0...$0) } ?? estimate
    let ratio = current.alpha / next.alpha
    let share = next.sigma * next.sigma / (current.sigma * current.sigma)
    let forward = max(0, current.sigma * current.sigma - ratio * ratio * next.sigma * next.sigma)
    var terms = [
      (coefficient: ratio * share, tensor: x),
      (next.alpha * forward / (current.sigma * current.sigma), clean),
    ]
    if next.sigma > 0 {
      let deviation = (forward * power(share, 1 - variance)).squareRoot()
      terms.append((deviation, try noise.normal(x.shape)))
    }
    return Tensor.linearCombination(terms)
  }
}
