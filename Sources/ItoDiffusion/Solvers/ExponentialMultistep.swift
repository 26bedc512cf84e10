public import ItoComponents
public import ItoTensors

/// Refined exponential multistep: the exact integral of a polynomial through past clean estimates.
///
/// In λ = log(α/σ), h = λₙ − λ_c:
/// `x_next = (σₙ/σ_c)·x + αₙ·Σ mᵢ·∫ e^{−(λₙ−λ)}·Lᵢ(λ) dλ`, the weights h·φⱼ(−h) of exponential Adams methods.
/// - Order: `order` after a start of rising order. One evaluation a step.
/// - Domain: steps from pure noise and to sigma 0 are of first order.
/// - Source: Zhang et al. 2023, *Improved Order Analysis and Design of Exponential Integrator for Diffusion
///   Models Sampling* (RES), arXiv:2308.02157, algorithm 2; Hochbruck & Ostermann 2010,
///   doi:10.1017/S0962492910000048, section 2.5.
public struct ExponentialMultistep: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "res-2m"
  /// What other tools call it.
  public static let aliases = ["res-multistep", "exponential-adams"]
  /// One line for tables.
  public static let summary = "refined exponential multistep of order 2"

  /// How many estimates are used.
  public var order: Int

  /// Of order 2 unless told otherwise.
  public init(order: Int = 2) { self.order = order }

  /// Takes the option `order`.
  public init(options: inout OptionReader) throws(OptionError) {
    order = try options.int("order", default: 2, in: 1...4)
  }

  /// Of order 3.
  static let third = Registry<any Solver>.Entry(
    name: "res-3m", summary: "refined exponential multistep of order 3"
  ) { (options) throws(OptionError) in
    ExponentialMultistep(order: try options.int("order", default: 3, in: 1...4))
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: order, source: "arXiv:2308.02157") }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    memory.record(Estimate(clean), at: current, capacity: order)
    let known = memory.finite(upTo: order)
    guard next.sigma > 0, known.count > 1 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let end = next.halfLogSNR
    let weights = lagrangeIntegrals(
      knots: known.map(\.level.halfLogSNR), from: current.halfLogSNR, to: end
    ) { exponential($0 - end) }
    return Tensor.linearCombination(
      [(next.sigma / current.sigma, x)]
        + Swift.zip(known, weights).flatMap { next.alpha * $1 * $0.estimate })
  }
}
