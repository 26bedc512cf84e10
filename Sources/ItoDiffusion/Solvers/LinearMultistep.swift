public import ItoComponents
public import ItoTensors

/// Adams–Bashforth's method on noise estimates over sigma/alpha, with steps of any size.
///
/// With y = x/α and ρ = σ/α, where `dy = ε dρ`: `y_next = y + Σ εᵢ·∫ Lᵢ(ρ) dρ` from ρ_c to ρₙ, Lᵢ the
/// Lagrange polynomials through the last `order` values of ρ.
/// - Order: `order` after a start of rising order. One evaluation a step.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: `sample_lms` of k-diffusion; variable steps: Hairer, Nørsett & Wanner 1993, *Solving Ordinary
///   Differential Equations I*, III.5. The same as iPNDM with variable steps, and as ρAB-DEIS (Zhang &
///   Chen 2023, arXiv:2204.13902, equation 15).
public struct LinearMultistep: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "lms"
  /// What other tools call it.
  public static let aliases = ["LMSDiscreteScheduler", "k-lms", "ipndm-v"]
  /// One line for tables.
  public static let summary = "Adams–Bashforth over sigma with steps of any size"

  /// How many estimates are used.
  public var order: Int

  /// Of order 4 unless told otherwise.
  public init(order: Int = 4) { self.order = order }

  /// Takes the option `order`.
  public init(options: inout OptionReader) throws(OptionError) {
    order = try options.int("order", default: 4, in: 1...4)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: order, source: "k-diffusion; arXiv:2204.13902")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    guard current.alpha > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    memory.record(current.noise(in: x, clean: clean), at: current, capacity: order)
    let knots = memory.entries.map(\.level.noiseToSignal)
    let weights = lagrangeIntegrals(
      knots: knots, from: current.noiseToSignal, to: next.noiseToSignal)
    return Tensor.linearCombination(
      [(next.alpha / current.alpha, x)]
        + Swift.zip(memory.entries, weights).flatMap { next.alpha * $1 * $0.estimate })
  }
}
