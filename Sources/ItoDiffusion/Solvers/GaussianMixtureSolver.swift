public import ItoComponents
public import ItoTensors

/// Steps whose transition is a mixture of two Gaussians with the first three moments of the true one,
/// where others take a single Gaussian with the first: better when steps are large.
///
/// Given x₀ a step of the reverse process is normal with mean `a·x + b·x₀` and variance σ̃²; so the
/// transition has variance `M₂ = σ̃² + b²·κ₂` and third moment `M₃ = b³·κ₃`, κ those of x₀ given x. The
/// mixture `⅓·N(m + d, s²) + ⅔·N(m − d/2, s²)` has them with `d = (4M₃)^{1/3}`, `s² = M₂ − d²/2`.
///
/// κ₂ and κ₃ are derivatives of the clean estimate D: with g = σ²/α, `κ₂ = g·∂D/∂x`, `κ₃ = g²·∂²D/∂x²`. They
/// are found from two more evaluations, at `x ± 0.1σ·v` with random signs v: exact where elements are
/// independent, unbiased in κ₂ otherwise.
/// - Order: 1. Three evaluations a step, in one batch where the model allows; two in a step to σ = 0.
/// - Source: Guo et al. 2023, *Gaussian Mixture Solvers for Diffusion Models*, arXiv:2311.00941,
///   section 3. Differs in that the moments are not learned, and the mixture is solved in closed form.
public struct GaussianMixtureSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "gms"
  /// What other tools call it.
  public static let aliases = ["gaussian-mixture"]
  /// One line for tables.
  public static let summary = "transitions of two Gaussians with the true one's three moments"

  /// Whether the third moment is used; without, the transition is one Gaussian of the true variance.
  public var usesThirdMoment: Bool

  /// Three moments unless told otherwise.
  public init(usesThirdMoment: Bool = true) { self.usesThirdMoment = usesThirdMoment }

  /// Takes the option `third-moment`.
  public init(options: inout OptionReader) throws(OptionError) {
    usesThirdMoment = try options.bool("third-moment", default: true)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, evaluations: 3, isStochastic: true, source: "arXiv:2311.00941")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let remainder = current.remainder(at: next)
    guard current.alpha > 0, next.sigma > 0, remainder < 1 else {
      return try implicitStep(
        x, estimate: try denoise(x, current), from: current, to: next, eta: 1, noise: &noise)
    }
    let zero = Tensor(scalar: 0)
    let positive = try noise.normal(x.shape).greaterThan(zero).cast(to: .float32)
    let signs = 2 * positive - 1
    let reach = 0.1 * current.sigma
    let estimates = try denoise.together([
      DenoiseQuery(x, current),
      DenoiseQuery(Tensor.linearCombination([(1, x), (reach, signs)]), current),
      DenoiseQuery(Tensor.linearCombination([(1, x), (-reach, signs)]), current),
    ])
    let (clean, above, below) = (estimates[0], estimates[1], estimates[2])
    // The step given x₀, as in ancestral sampling.
    let step = StochasticStep(from: current, to: next, eta: 1)
    let g = current.sigma * current.sigma / current.alpha
    let spread = step.clean * step.clean * g / (2 * reach)
    let second = Tensor.maximum(
      signs * Tensor.linearCombination([(spread, above), (-spread, below)]), zero)
    let variance = second + step.noise * step.noise
    var terms = [(coefficient: step.sample, tensor: x), (step.clean, clean)]
    var remaining = variance
    if usesThirdMoment {
      let skew = 4 * step.clean * step.clean * step.clean * g * g / (reach * reach)
      let third = Tensor.linearCombination([(skew, above), (-2 * skew, clean), (skew, below)])
      let size = third.abs().power(1.0 / 3)
      // The parts may not be further apart than the variance allows.
      let bounded = Tensor.minimum(size, (1.8 * second).sqrt())
      let offset = bounded.selected(where: third.greaterThan(zero), otherwise: -bounded)
      // The lower third of a unit normal.
      let isFirst = try noise.normal(x.shape).lessThan(Tensor(scalar: -0.430_727_299_295_457))
      terms.append((1, offset.selected(where: isFirst, otherwise: -0.5 * offset)))
      remaining = variance - 0.5 * bounded.squared()
    }
    terms.append((1, remaining.sqrt() * (try noise.normal(x.shape))))
    return Tensor.linearCombination(terms)
  }
}
