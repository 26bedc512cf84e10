public import ItoComponents
public import ItoTensors

/// Straight to the next level along the current slope.
///
/// `x_next = (σₙ/σ_c)·x + (αₙ − α_c·σₙ/σ_c)·clean`
///
/// One formula for flows, for `sigma/alpha` and for DDIM without noise: they are the same step.
/// - Order: 1. One evaluation a step.
/// - Source: Karras et al. 2022, arXiv:2206.00364, algorithm 1 without correction; with churn,
///   algorithm 2.
public struct EulerSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "euler"
  /// What other tools call it.
  public static let aliases = ["EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"]
  /// One line for tables.
  public static let summary = "first order, along the current slope"

  /// Noise added before each step.
  public var churn: Churn

  /// Without churn unless told otherwise.
  public init(churn: Churn = Churn()) { self.churn = churn }

  /// Takes the options `churn`, `churn-min`, `churn-max`, `churn-noise`.
  public init(options: inout OptionReader) throws(OptionError) {
    churn = try Churn(options: &options)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: churn.amount > 0, source: "arXiv:2206.00364")
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let (x, current) = try churn.applied(to: x, at: current, in: plan, noise: &noise)
    let clean = try denoise(x, current)
    return try implicitStep(x, estimate: clean, from: current, to: next, noise: &noise)
  }
}
