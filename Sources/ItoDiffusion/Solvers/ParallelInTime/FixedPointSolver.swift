public import ItoComponents
public import ItoTensors

/// All steps of Euler's at once as one fixed point, found by Anderson's mixing.
///
/// As `ParaTAA` with one set of weights for all steps, targets from the window's beginning, and a window
/// over the whole run: the trajectory is the equilibrium of a layer that is applied again and again.
/// - Order: 1, that of Euler's method, whose result it tends to as the tolerance falls. More
///   evaluations in fewer rounds.
/// - Source: Pokle et al. 2022, *Deep Equilibrium Approaches to Diffusion Models*, arXiv:2210.12867,
///   section 4. Differs in that settled steps are taken out of the system.
public struct FixedPointSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "deq"
  /// What other tools call it.
  public static let aliases = ["fixed-point", "deq-ddim"]
  /// One line for tables.
  public static let summary = "Euler's steps, all at once, as a fixed point"

  /// Steps solved together.
  public var window: Int
  /// Root mean square distance at which a guess counts as right.
  public var tolerance: Double
  /// Rounds that are mixed.
  public var history: Int

  /// The whole of a run of up to 1,000 steps unless told otherwise.
  public init(window: Int = 1000, tolerance: Double = 0.01, history: Int = 5) {
    self.window = window
    self.tolerance = tolerance
    self.history = history
  }

  /// Takes the options `window`, `tolerance`, `history`.
  public init(options: inout OptionReader) throws(OptionError) {
    window = try options.int("window", default: 1000, in: 1...10_000)
    tolerance = try options.double("tolerance", default: 0.01, in: 0...1e6)
    history = try options.int("history", default: 5, in: 0...8)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: 1, source: "arXiv:2210.12867") }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> TimeWindow { TimeWindow(plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout TimeWindow,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let settings = TimeWindow.Settings(size: window, tolerance: tolerance, remembered: history) {
      first, now, before in
      AndersonMixing(now, before).improved(from: first, isTriangular: false)
    }
    return try memory.advance(x, settings, noise: &noise, denoise: denoise)
  }
}
