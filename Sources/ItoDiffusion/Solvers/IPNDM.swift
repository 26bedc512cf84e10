public import ItoComponents
public import ItoTensors

/// Adams–Bashforth's method with the coefficients of equal steps on noise estimates, then DDIM's transfer.
///
/// `ε = Σ cᵢ·εᵢ`, c = (55, −59, 37, −9)/24 at order 4; the start uses what there is.
/// - Order: `order` where steps are equal in sigma/alpha, at most 2 on other grids. One evaluation a step.
/// - Domain: from pure noise too.
/// - Source: Zhang & Chen 2023, *Fast Sampling of Diffusion Models with Exponential Integrator*,
///   arXiv:2204.13902, section 3.3 and appendix H, after Liu et al. 2022, arXiv:2202.09778.
public struct IPNDM: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "ipndm"
  /// What other tools call it.
  public static let aliases = ["IPNDMScheduler"]
  /// One line for tables.
  public static let summary = "Adams–Bashforth with fixed coefficients, started by lower orders"

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
    SolverTraits(order: order, needsEqualSteps: order > 1, source: "arXiv:2204.13902")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    memory.record(current.noise(in: x, clean: clean), at: current, capacity: order)
    let weights = adamsBashforth(order: memory.entries.count)
    let slopes = Swift.zip(memory.entries, weights).map { (weight: $1, noise: $0.estimate) }
    return transfer(x, clean: clean, along: slopes, from: current, to: next)
  }
}
