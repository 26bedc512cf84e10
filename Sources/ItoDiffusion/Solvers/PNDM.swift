public import ItoComponents
public import ItoTensors

/// Pseudo linear multistep: Adams–Bashforth's method of order 4 on noise estimates with DDIM's transfer.
///
/// φ is the transfer of `transfer(…)`. Start `multistep` (PLMS): the first step averages the estimates at
/// both its ends, then orders 2, 3, 4. Start `runge-kutta`: three steps of
/// `ε = (ε₁ + 2ε₂ + 2ε₃ + ε₄)/6`, ε₂ and ε₃ at half the time.
/// - Order: 4 where steps are equal in sigma/alpha, 2 on other grids. One evaluation a step; two in the
///   first, or four in each of the first three.
/// - Domain: from pure noise too. Differs from diffusers for networks that predict v, where that tool
///   combines outputs of different levels; here noise estimates are combined, as published.
/// - Source: Liu et al. 2022, arXiv:2202.09778, equations 9, 12, 13 and algorithm 2.
public struct PNDM: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "pndm"
  /// What other tools call it.
  public static let aliases = ["plms", "PNDMScheduler"]
  /// One line for tables.
  public static let summary = "pseudo linear multistep of order 4"

  /// How the first estimates are found.
  public enum Start: String, Sendable, Hashable, CaseIterable {
    case multistep
    case rungeKutta = "runge-kutta"
  }

  /// How the first estimates are found.
  public var start: Start

  /// Multistep from the start unless told otherwise, as latent models are sampled.
  public init(start: Start = .multistep) { self.start = start }

  /// Takes the option `start`.
  public init(options: inout OptionReader) throws(OptionError) {
    start = try options.choice("start", default: .multistep)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 4, needsEqualSteps: true, source: "arXiv:2202.09778")
  }

  /// The estimates and the schedule.
  public struct Memory: Sendable {
    var history: EstimateHistory
    let schedule: any NoiseSchedule
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(history: EstimateHistory(for: plan), schedule: plan.schedule)
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    func estimate(_ x: Tensor, _ level: NoiseLevel) throws(SamplingError) -> Estimate {
      level.noise(in: x, clean: try denoise(x, level))
    }
    let clean = try denoise(x, current)
    let first = current.noise(in: x, clean: clean)
    func moved(_ slopes: [(weight: Double, noise: Estimate)], to level: NoiseLevel) -> Tensor {
      transfer(x, clean: clean, along: slopes, from: current, to: level)
    }
    memory.history.record(first, at: current, capacity: 4)
    defer { memory.history.advance() }
    if start == .rungeKutta, memory.history.index < 3, next.sigma > 0 {
      let middle = memory.schedule.level(at: (current.time + next.time) / 2)
      let second = try estimate(moved([(1, first)], to: middle), middle)
      let third = try estimate(moved([(1, second)], to: middle), middle)
      let fourth = try estimate(moved([(1, third)], to: next), next)
      return moved(
        [(1.0 / 6, first), (1.0 / 3, second), (1.0 / 3, third), (1.0 / 6, fourth)], to: next)
    }
    if memory.history.index == 0, next.sigma > 0 {
      // Correct with the estimate at the far end.
      let second = try estimate(moved([(1, first)], to: next), next)
      return moved([(0.5, first), (0.5, second)], to: next)
    }
    let weights = adamsBashforth(order: memory.history.entries.count)
    return moved(
      Swift.zip(weights, memory.history.entries.map(\.estimate)).map { ($0, $1) }, to: next)
  }
}
