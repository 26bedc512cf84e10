public import ItoComponents
public import ItoTensors

/// Euler's steps, several at once: a fixed-point iteration over targets from a few steps back, sped up
/// by Anderson's mixing with a triangular matrix, so that no step's guess depends on later ones.
///
/// With the guesses X and residuals R of this round and of earlier ones h, each step j has its own
/// weights, `γ_j = argmin ‖R_{≤j} − Σ_h γ_h·(R − R_h)_{≤j}‖`, over the steps up to it, and
/// `x_j ← x_j + r_j − Σ_h γ_h·((x_j − x_{h,j}) + (r_j − r_{h,j}))`, for each sample on its own.
/// - Order: 1, that of Euler's method, whose result it tends to as the tolerance falls. More
///   evaluations in fewer rounds.
/// - Source: Tang et al. 2024, *Accelerating Parallel Sampling of Diffusion Models*, arXiv:2402.09970,
///   algorithm 1 with equation 13's targets of a given order.
public struct ParaTAA: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "parataa"
  /// What other tools call it.
  public static let aliases = ["triangular-anderson", "taa"]
  /// One line for tables.
  public static let summary = "Euler's steps, several at once, by triangular Anderson mixing"

  /// Steps solved together.
  public var window: Int
  /// Root mean square distance at which a guess counts as right.
  public var tolerance: Double
  /// How many steps back a target is computed from.
  public var order: Int
  /// Rounds that are mixed.
  public var history: Int

  /// What the paper found to do well unless told otherwise.
  public init(window: Int = 16, tolerance: Double = 0.01, order: Int = 8, history: Int = 2) {
    self.window = window
    self.tolerance = tolerance
    self.order = order
    self.history = history
  }

  /// Takes the options `window`, `tolerance`, `order`, `history`.
  public init(options: inout OptionReader) throws(OptionError) {
    window = try options.int("window", default: 16, in: 1...10_000)
    tolerance = try options.double("tolerance", default: 0.01, in: 0...1e6)
    order = try options.int("order", default: 8, in: 1...10_000)
    history = try options.int("history", default: 2, in: 0...8)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits { SolverTraits(order: 1, source: "arXiv:2402.09970") }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> TimeWindow { TimeWindow(plan) }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout TimeWindow,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let settings = TimeWindow.Settings(
      size: window, order: order, tolerance: tolerance, remembered: history
    ) { first, now, before in
      AndersonMixing(now, before).improved(from: first, isTriangular: true)
    }
    return try memory.advance(x, settings, noise: &noise, denoise: denoise)
  }
}
