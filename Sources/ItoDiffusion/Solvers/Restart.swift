public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Heun's steps, which on an interval of noise go back and forth: noise is added to take the sample
/// from the interval's end to its beginning, then the steps of the interval are taken again. What
/// errors gathered before is forgotten with the noise that is put in its place.
///
/// `x ← (α_max/α_min)·x + α_max·√(s_max² − s_min²)·z`, s = σ/α, then `steps` steps down again, spaced as
/// Karras et al. do, `repeats` times; s_min is the least noise of the plan that is not below `min`.
/// - Order: 2. Two evaluations a step, one in the last; the interval takes `2·repeats·steps` more.
/// - Source: Xu et al. 2023, *Restart Sampling for Improving Generative Processes*, arXiv:2306.14878,
///   algorithm 1.
public struct Restart: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "restart"
  /// What other tools call it.
  public static let aliases = ["restart-sampling"]
  /// One line for tables.
  public static let summary = "Heun's steps with a stretch taken again from fresh noise"

  /// Where the sample goes back and forth.
  public var interval: NoiseInterval
  /// Steps of the interval and how often they are taken again.
  public var steps: Int, repeats: Int

  /// The interval the paper uses for small pictures unless told otherwise.
  public init(
    interval: NoiseInterval = NoiseInterval(0.06, 0.3), steps: Int = 3, repeats: Int = 2
  ) {
    self.interval = interval
    self.steps = steps
    self.repeats = repeats
  }

  /// Takes the options `min`, `max`, `steps`, `repeats`.
  public init(options: inout OptionReader) throws(OptionError) {
    interval = try NoiseInterval(options: &options, 0.06, 0.3)
    steps = try options.int("steps", default: 3, in: 1...1000)
    repeats = try options.int("repeats", default: 2, in: 0...1000)
  }

  private var heun: HeunSolver { HeunSolver(variables: .automatic) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: 2, evaluations: 2, isStochastic: repeats > 0, source: "arXiv:2306.14878")
  }

  /// Refuses plans the method cannot follow.
  public func validate(_ plan: SamplingPlan) throws(SamplingError) {
    try heun.validate(plan)
    if repeats > 0, bottom(of: plan) == nil { throw interval.unmet(by: "restart") }
  }

  /// The place in the plan's levels where the interval ends.
  private func bottom(of plan: SamplingPlan) -> Int? {
    plan.levels.indices.dropFirst().last {
      plan.levels[$0].noiseToSignal >= interval.minimum
        && plan.levels[$0].noiseToSignal < interval.maximum
    }
  }

  /// The run's plan, Heun's memory, and where the run is.
  public struct Memory: Sendable {
    let schedule: any NoiseSchedule
    let bottom: Int?
    var heun: HeunSolver.Memory
    var index = 0
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(
      schedule: plan.schedule, bottom: repeats > 0 ? bottom(of: plan) : nil,
      heun: heun.makeMemory(for: plan))
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    var x = try heun.step(
      x, from: current, to: next, memory: &memory.heun, noise: &noise, denoise: denoise)
    memory.index += 1
    guard memory.index == memory.bottom else { return x }
    let levels = self.levels(down: next, memory.schedule)
    let added = (interval.maximum * interval.maximum - next.noiseToSignal * next.noiseToSignal)
      .squareRoot()
    for _ in 0..<repeats {
      x = Tensor.linearCombination([
        (levels[0].alpha / next.alpha, x),
        (levels[0].alpha * added, try noise.normal(x.shape)),
      ])
      for (from, to) in Swift.zip(levels, levels.dropFirst()) {
        x = try heun.step(
          x, from: from, to: to, memory: &memory.heun, noise: &noise, denoise: denoise)
      }
    }
    return x
  }

  /// The levels from the interval's beginning to `end`.
  private func levels(down end: NoiseLevel, _ schedule: any NoiseSchedule) -> [NoiseLevel] {
    let (high, low) = (pow(interval.maximum, 1.0 / 7), pow(end.noiseToSignal, 1.0 / 7))
    return (0..<steps).map { step in
      schedule.level(
        noiseToSignal: pow(high + Double(step) / Double(steps) * (low - high), 7))
    } + [end]
  }
}
