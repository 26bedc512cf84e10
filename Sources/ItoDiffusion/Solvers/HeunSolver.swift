public import ItoComponents
public import ItoTensors

/// Euler's step, corrected with the slope at its end.
///
/// With y the scaled sample and τ the variable of `variables`, d = (y − clean)/τ:
/// `y_next = y + (τₙ − τ_c)·(d_c + dₙ)/2`, dₙ at Euler's point. As a combination of x and the two
/// estimates, with ρ = τₙ/τ_c:
/// `x_next = (σₙ/σ_c)·x + scaleₙ·((½(1 − 1/ρ) + 1 − ρ)·clean_c + ½(1/ρ − 1)·cleanₙ)`
///
/// - Order: 2. Two evaluations a step; one in a last step to sigma 0, which is Euler's.
/// - Domain: from pure noise only in the variables of a flow.
/// - Source: Karras et al. 2022, arXiv:2206.00364, algorithms 1 and 2.
public struct HeunSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "heun"
  /// What other tools call it.
  public static let aliases = [
    "HeunDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "edm-heun",
  ]
  /// One line for tables.
  public static let summary = "second order, two evaluations a step"

  /// The variables that are integrated.
  public var variables: IntegrationVariables
  /// Noise added before each step.
  public var churn: Churn
  /// Clean estimates are kept within ± this, if given.
  public var clip: Double?

  /// Automatic variables without churn and clipping unless told otherwise.
  public init(
    variables: IntegrationVariables = .automatic, churn: Churn = Churn(), clip: Double? = nil
  ) {
    self.variables = variables
    self.churn = churn
    self.clip = clip
  }

  /// Takes the options `variables`, `clip`, `churn`, `churn-min`, `churn-max`, `churn-noise`.
  public init(options: inout OptionReader) throws(OptionError) {
    variables = try options.choice("variables", default: .automatic)
    churn = try Churn(options: &options)
    clip = try options.double("clip", in: 0...1e6)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: 2, evaluations: 2, isStochastic: churn.amount > 0, source: "arXiv:2206.00364")
  }

  /// Refuses plans the method cannot follow.
  public func validate(_ plan: SamplingPlan) throws(SamplingError) {
    try requireFallingNoise(plan)
    if variables.resolved(for: plan) == .noiseToSignal,
      plan.levels.contains(where: { $0.alpha == 0 })
    {
      throw .invalidPlan(
        "heun divides by alpha, and the plan starts from pure noise; use variables=flow, or start "
          + "below it")
    }
  }

  /// The run's plan and the variables chosen for it.
  public struct Memory: Sendable {
    let plan: SamplingPlan
    let variables: IntegrationVariables
  }

  /// The memory at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory {
    Memory(plan: plan, variables: variables.resolved(for: plan))
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    func estimate(_ x: Tensor, _ level: NoiseLevel) throws(SamplingError) -> Tensor {
      let clean = try denoise(x, level)
      return clip.map { clean.clamped(to: -$0...$0) } ?? clean
    }
    let (x, current) = try churn.applied(to: x, at: current, in: memory.plan, noise: &noise)
    let first = try estimate(x, current)
    let predicted = try implicitStep(x, estimate: first, from: current, to: next, noise: &noise)
    guard next.sigma > 0 else { return predicted }
    // Correct with the slope at the far end.
    let second = try estimate(predicted, next)
    let ratio = memory.variables.value(next) / memory.variables.value(current)
    let scale = memory.variables.scale(next)
    return Tensor.linearCombination([
      (next.sigma / current.sigma, x),
      (scale * ((1 - 1 / ratio) / 2 + 1 - ratio), first),
      (scale * (1 / ratio - 1) / 2, second),
    ])
  }
}
