public import ItoComponents
public import ItoTensors

/// Steps of a network that maps a sample from one level straight to another, such as MeanFlow's: any
/// number of steps, one included.
///
/// The network is told both levels, the second through `StepInfo.next`, and its output, read as a
/// velocity, is the mean one over the step: `x_next = (σₙ/σ_c)·x + (αₙ − α_c·σₙ/σ_c)·clean`. With gamma > 0
/// the step goes to less noise than wanted, `√(1 − γ²)·σₙ/αₙ`, and noise makes up for it.
/// - Order: exact for a network that is a flow map; 1 for an ordinary one, where gamma 0 is Euler's
///   method.
/// - Source: Geng et al. 2025, *Mean Flows for One-step Generative Modeling*, arXiv:2505.13447,
///   algorithm 2; Kim et al. 2024, *Consistency Trajectory Models*, arXiv:2310.02279, algorithm 3 for
///   gamma.
public struct FlowMap: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "flow-map"
  /// What other tools call it.
  public static let aliases = ["meanflow", "ctm", "shortcut"]
  /// One line for tables.
  public static let summary = "for networks that map from level to level, in one step or few"

  /// Share of the noise that is drawn anew: 0 for none, 1 for a clean estimate noised again.
  public var gamma: Double

  /// Without noise unless told otherwise.
  public init(gamma: Double = 0) { self.gamma = gamma }

  /// Takes the option `gamma`.
  public init(options: inout OptionReader) throws(OptionError) {
    gamma = try options.double("gamma", default: 0, in: 0...1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: gamma > 0, source: "arXiv:2505.13447")
  }

  /// The memory at the beginning of a run: its schedule.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let share = (1 - gamma * gamma).squareRoot()
    let target =
      gamma > 0 && next.sigma > 0 && next.alpha > 0
      ? plan.schedule.level(noiseToSignal: share * next.noiseToSignal) : next
    let clean = try denoise(x, current, toward: target)
    // In one pass: to the target, then by its alpha to the next level, with noise.
    let scale = target.alpha > 0 ? next.alpha / target.alpha : 1
    let left = target.sigma / current.sigma
    var terms = [
      (coefficient: scale * left, tensor: x),
      (scale * (target.alpha - current.alpha * left), clean),
    ]
    if gamma > 0 {
      terms.append((target == next ? 0 : gamma * next.sigma, try noise.normal(x.shape)))
    }
    return Tensor.linearCombination(terms)
  }
}
