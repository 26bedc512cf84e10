public import ItoComponents
public import ItoTensors

/// Strategic stochastic sampling of trajectory consistency models: DDIM's step to less noise than wanted,
/// then noise forward again.
///
/// The step goes to the level s at `(1 − γ)` of the time of the next level, then
/// `x_next = (αₙ/α_s)·x_s + √(σₙ² − (αₙ/α_s)²·σ_s²)·z`. γ = 0 is DDIM.
/// - Order: none but for γ = 0; each step is as good as the network's estimate. One evaluation a step; no
///   noise in the last.
/// - Domain: from pure noise too. For networks distilled for it.
/// - Source: Zheng et al. 2024, *Trajectory Consistency Distillation*, arXiv:2402.19159, algorithm 3.
public struct TCD: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "tcd"
  /// What other tools call it.
  public static let aliases = ["TCDScheduler"]
  /// One line for tables.
  public static let summary = "DDIM past the next level and noise forward again"

  /// γ, the stochasticity.
  public var gamma: Double

  /// γ = 0.3 unless told otherwise.
  public init(gamma: Double = 0.3) { self.gamma = gamma }

  /// Takes the option `eta`, which is the paper's γ.
  public init(options: inout OptionReader) throws(OptionError) {
    gamma = try options.double("eta", default: 0.3, in: 0...1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: gamma > 0, source: "arXiv:2402.19159")
  }

  /// The schedule, and where the run is.
  public struct Memory: Sendable {
    let schedule: any NoiseSchedule
    var remaining: Int
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(schedule: plan.schedule, remaining: plan.stepCount)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    memory.remaining -= 1
    guard gamma > 0, memory.remaining > 0, next.sigma > 0 else {
      return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
    }
    let lower = target(before: next, on: memory.schedule)
    let kept = lower.sigma / current.sigma
    let ratio = next.alpha / lower.alpha
    let least = ratio * lower.sigma
    let deviation = max(0, next.sigma * next.sigma - least * least).squareRoot()
    return Tensor.linearCombination([
      (ratio * kept, x), (ratio * (lower.alpha - current.alpha * kept), clean),
      (deviation, try noise.normal(x.shape)),
    ])
  }

  /// The level at `1 − γ` of the way to `next`, at a whole timestep where the schedule has them.
  private func target(before next: NoiseLevel, on schedule: any NoiseSchedule) -> NoiseLevel {
    guard let count = schedule.timestepCount else {
      return schedule.level(at: (1 - gamma) * next.time)
    }
    let timestep = (next.time * Double(count) - 1).rounded()
    return schedule.level(timestep: ((1 - gamma) * timestep).rounded(.down))
  }
}
