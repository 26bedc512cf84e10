import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Exponential single-step solvers of the reverse process with one to three stages, whose noise is
/// consistent between the stages.
///
/// The stages are `StochasticStep`s to the levels at r₁h and r₂h (½ for two stages, ⅓ and ⅔ for three)
/// and to the end, corrected with the estimates of the stages before: with H = (1 + η)h,
/// `(1 − e^{−H})/(2r₁)·(D₁ − D₀)` for two stages, `φ₂(H)/r₂·(D₂ − D₀)` for three. The noise of a stage is
/// that of the stages before carried on, and fresh noise for the part between.
/// - Order: the number of stages without noise; weakly 1 with it. As many evaluations and draws a step.
/// - Domain: a step from pure noise and one to none are of first order.
/// - Source: Gonzalez et al. 2023, *SEEDS: Exponential SDE Solvers for Fast High-Quality Sampling from
///   Diffusion Models*, arXiv:2305.14267, algorithms 1 to 4, in the form that predicts the clean sample.
public struct SEEDS: Solver {
  /// Number of stages, 1 to 3.
  public let stages: Int
  /// Share of the process's noise: 1 for all, 0 for none.
  public var eta: Double
  /// Scale of the noise.
  public var noiseScale: Double

  /// The method with `stages` stages, from 1 to 3, and all of the noise unless told otherwise.
  public init(stages: Int, eta: Double = 1, noiseScale: Double = 1) {
    self.stages = Swift.min(3, Swift.max(1, stages))
    self.eta = eta
    self.noiseScale = noiseScale
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: eta > 0 ? 1 : stages, evaluations: stages, isStochastic: eta > 0,
      source: "arXiv:2305.14267")
  }

  /// The memory at the beginning of a run: its schedule.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let remainder = current.remainder(at: next)
    let isExponential = remainder > 0 && remainder < 1 && current.alpha > 0
    let parts = isExponential ? stages : 1
    var levels = [current]
    for k in 1..<Swift.max(2, parts) where parts > 1 {
      let share = Double(k) / Double(parts)
      levels.append(
        plan.schedule.level(noiseToSignal: current.noiseToSignal * pow(remainder, share)))
    }
    levels.append(next)
    var estimates = [try denoise(x, current)]
    // The noise gathered so far, as weights of the draws at the level reached.
    var draws: [(coefficient: Double, tensor: Tensor)] = []
    for stage in 1...parts {
      let level = levels[stage]
      if eta > 0 {
        let fresh = StochasticStep(from: levels[stage - 1], to: level, eta: eta)
        draws = draws.map { (fresh.sample * $0.coefficient, $0.tensor) }
        draws.append((fresh.noise * noiseScale, try noise.normal(x.shape)))
      }
      let step = StochasticStep(from: current, to: level, eta: eta)
      var terms: [(coefficient: Double, tensor: Tensor)] = [
        (step.sample, x), (step.clean, estimates[0]),
      ]
      if stage > 1 {
        // r'·H being where the last stage lies, the estimates grow by their difference over r'.
        let weight =
          parts == 2
          ? step.clean : level.alpha * phi2(step.span) * Double(stage) / Double(stage - 1)
        terms[1].coefficient -= weight
        terms.append((weight, estimates[stage - 1]))
      }
      let reached = Tensor.linearCombination(terms + draws)
      if stage == parts { return reached }
      estimates.append(try denoise(reached, level))
    }
    return x
  }
}

extension Registry.Entry where Component == any Solver {
  /// The method with `stages` stages.
  static func seeds(_ stages: Int) -> Self {
    Self(
      name: "seeds-\(stages)", aliases: stages == 1 ? ["exp-sde"] : [],
      summary: "exponential, \(stages) evaluation\(stages == 1 ? "" : "s") a step, with noise"
    ) { (options) throws(OptionError) in
      SEEDS(
        stages: stages, eta: try options.double("eta", default: 1, in: 0...10),
        noiseScale: try options.double("noise-scale", default: 1, in: 0...10))
    }
  }
}
