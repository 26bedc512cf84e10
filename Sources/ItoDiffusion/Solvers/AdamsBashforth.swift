public import ItoComponents
public import ItoTensors

/// Adams–Bashforth's method in log-SNR with steps of any size.
///
/// With y = x/α and λ = log(α/σ), where `dy/dλ = clean − y`: `y_next = y + Σ fᵢ·∫ Lᵢ(λ) dλ`, f the derivatives
/// at the last levels. Unlike the exponential methods it does not treat the linear part exactly, so it
/// wants smaller steps.
/// - Order: `order` after a start of rising order. One evaluation a step.
/// - Domain: steps from pure noise and to sigma 0 are Euler's.
/// - Source: Hairer, Nørsett & Wanner 1993, *Solving Ordinary Differential Equations I*, III.5.
public struct AdamsBashforth: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "adams-bashforth"
  /// What other tools call it.
  public static let aliases = ["ab"]
  /// One line for tables.
  public static let summary = "Adams–Bashforth in log-SNR with steps of any size"

  /// How many derivatives are used.
  public var order: Int

  /// Of order 3 unless told otherwise.
  public init(order: Int = 3) { self.order = order }

  /// Takes the option `order`.
  public init(options: inout OptionReader) throws(OptionError) {
    order = try options.int("order", default: 3, in: 1...4)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: order, source: "Hairer, Nørsett & Wanner 1993, III.5")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> EstimateHistory { EstimateHistory(for: plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout EstimateHistory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    guard current.alpha > 0, next.sigma > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let derivative = Estimate([(1, clean), (-1 / current.alpha, x)])
    memory.record(derivative, at: current, capacity: order)
    let weights = lagrangeIntegrals(
      knots: memory.entries.map(\.level.halfLogSNR), from: current.halfLogSNR,
      to: next.halfLogSNR)
    return Tensor.linearCombination(
      [(next.alpha / current.alpha, x)]
        + Swift.zip(memory.entries, weights).flatMap { next.alpha * $1 * $0.estimate })
  }
}
