public import ItoComponents
public import ItoTensors

/// The implicit step of DDIM with a share `eta` of the reversed process's noise.
///
/// `x_next = αₙ·clean + √(σₙ² − up²)·ε̂ + up·z`, `up = η·σₙ·√(1 − ρ²)`, ρ = (σₙ/αₙ)/(σ_c/α_c)
///
/// With η = 0 this is Euler's step, with η = 1 ancestral Euler; what sets DDIM apart in practice is its
/// spacing, and that clipping the clean estimate leaves the noise estimate as it was.
/// - Order: 1. One evaluation a step.
/// - Source: Song et al. 2021, *Denoising Diffusion Implicit Models*, arXiv:2010.02502, equations 12
///   and 16.
public struct DDIM: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "ddim"
  /// What other tools call it.
  public static let aliases = ["DDIMScheduler"]
  /// One line for tables.
  public static let summary = "implicit step, noise by choice"

  /// Share of the reversed process's noise: 0 for none, 1 as in DDPM.
  public var eta: Double
  /// What the clean estimate is kept within, if given.
  public var limit: EstimateLimit?

  /// Without noise and clipping unless told otherwise.
  public init(eta: Double = 0, limit: EstimateLimit? = nil) {
    self.eta = eta
    self.limit = limit
  }

  /// Takes the options `eta`, `clip`.
  public init(options: inout OptionReader) throws(OptionError) {
    eta = try options.double("eta", default: 0, in: 0...10)
    limit = try options.double("clip", in: 0...1e6).map { .range($0) }
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: eta > 0, source: "arXiv:2010.02502")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let estimate = try denoise(x, current)
    return try implicitStep(
      x, estimate: estimate, clean: limit.map { $0(estimate) }, from: current, to: next, eta: eta,
      noise: &noise)
  }
}
