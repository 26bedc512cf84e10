public import ItoComponents
public import ItoTensors

/// Euler's steps, several at once: Picard's iteration over a window of steps that slides past those
/// that are settled.
///
/// A round evaluates the window in one batch; a target is the window's first sample plus the steps of
/// all estimates since. `SamplingResult.rounds` is the number of rounds.
/// - Order: 1, that of Euler's method, whose result it tends to as the tolerance falls. More
///   evaluations in fewer rounds: for machines that evaluate a batch faster than one by one.
/// - Source: Shih et al. 2023, *Parallel Sampling of Diffusion Models*, arXiv:2305.16317, algorithm 1.
///   Differs in the first guesses, which are steps with the last estimate instead of copies, and in the
///   tolerance, which is relative to the level.
public struct ParaDiGMS: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "paradigms"
  /// What other tools call it.
  public static let aliases = ["picard", "ddim-parallel", "DDIMParallelScheduler"]
  /// One line for tables.
  public static let summary = "Euler's steps, several at once, by Picard's iteration"

  /// Steps solved together.
  public var window: Int
  /// Root mean square distance at which a guess counts as right.
  public var tolerance: Double

  /// 16 steps to a hundredth of the scale of the sample unless told otherwise.
  public init(window: Int = 16, tolerance: Double = 0.01) {
    self.window = window
    self.tolerance = tolerance
  }

  /// Takes the options `window`, `tolerance`.
  public init(options: inout OptionReader) throws(OptionError) {
    window = try options.int("window", default: 16, in: 1...10_000)
    tolerance = try options.double("tolerance", default: 0.01, in: 0...1e6)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: 1, source: "arXiv:2305.16317") }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> TimeWindow { TimeWindow(plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout TimeWindow,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let settings = TimeWindow.Settings(size: window, tolerance: tolerance) { first, now, _ in
      Swift.zip(now.guesses, now.residuals).dropFirst(first).map {
        Tensor.linearCombination([(1, $0), (1, $1)])
      }
    }
    return try memory.advance(x, settings, noise: &noise, denoise: denoise)
  }
}
