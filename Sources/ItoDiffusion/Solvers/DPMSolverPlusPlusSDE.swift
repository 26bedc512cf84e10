public import ItoComponents
public import ItoTensors

/// DPM-Solver++ for the stochastic process: two ancestral stages, the second by the estimate halfway.
///
/// With s = σ/α and s_m = s_c^{1−r}·sₙ^{r}: an ancestral step to s_m, the estimate there, then an ancestral
/// step from x to sₙ with `(1 − 1/2r)·clean + (1/2r)·clean_m`. Both stages see one Brownian path: the
/// noise of the step is the sum of the increments over sigma/alpha before and after s_m.
/// - Order: 1 in the mean. Two evaluations and two draws of noise a step; one evaluation in a last step to
///   sigma 0.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: `sample_dpmpp_sde` of k-diffusion, after Lu et al. 2022, arXiv:2211.01095. Differs: there the
///   Brownian path is that of a tree with its own seed, here that of the run's streams.
public struct DPMSolverPlusPlusSDE: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++sde"
  /// What other tools call it.
  public static let aliases = ["dpmpp-sde", "dpmpp-sde-gpu", "DPMSolverSDEScheduler"]
  /// One line for tables.
  public static let summary = "second stage halfway in log-SNR, with noise"

  /// The noise of its steps.
  public var renewal: Renewal
  /// r, where the second estimate is made.
  public var fraction: Double

  /// All noise new and the second estimate halfway unless told otherwise.
  public init(renewal: Renewal = Renewal(eta: 1), fraction: Double = 0.5) {
    self.renewal = renewal
    self.fraction = fraction
  }

  /// Takes the options `eta`, `noise-scale`, `r`.
  public init(options: inout OptionReader) throws(OptionError) {
    renewal = try Renewal(options: &options, eta: 1)
    fraction = try options.double("r", default: 0.5, in: 0.01...1)
  }

  private var eta: Double { renewal.eta }
  private var noiseScale: Double { renewal.noiseScale }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: eta > 0 ? 1 : 2, evaluations: 2, isStochastic: eta > 0, source: "arXiv:2211.01095")
  }

  /// The memory at the beginning of a run: the schedule, for levels between the plan's.
  public func makeMemory(for plan: SamplingPlan) -> SamplingPlan { plan }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory plan: inout SamplingPlan,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    guard current.alpha > 0, next.sigma > 0 else {
      return try implicitStep(
        x, estimate: clean, from: current, to: next, eta: next.sigma > 0 ? eta : 0,
        noiseScale: noiseScale, noise: &noise)
    }
    let (start, end) = (current.noiseToSignal, next.noiseToSignal)
    let ratio = start * power(end / start, fraction)
    let middle = plan.schedule.level(noiseToSignal: ratio)
    let before = eta > 0 ? try noise.normal(x.shape) : nil
    let halfway = stage(x, clean: [(1, clean)], before.map { [(1, $0)] }, current, middle)
    let second = try denoise(halfway, middle)
    var path: [(Double, Tensor)]?
    if let before {
      let share = (start - ratio) / (start - end)
      path = [
        (share.squareRoot(), before), ((1 - share).squareRoot(), try noise.normal(x.shape)),
      ]
    }
    let weight = 1 / (2 * fraction)
    return stage(x, clean: [(1 - weight, clean), (weight, second)], path, current, next)
  }

  /// An ancestral step with the given estimate and noise.
  private func stage(
    _ x: Tensor, clean: [(Double, Tensor)], _ noise: [(Double, Tensor)]?, _ current: NoiseLevel,
    _ next: NoiseLevel
  ) -> Tensor {
    let split = AncestralSplit(from: current, to: next, eta: eta)
    let kept = split.down / current.noiseToSignal
    var terms = [(coefficient: next.alpha / current.alpha * kept, tensor: x)]
    for (weight, estimate) in clean where weight != 0 {
      terms.append((next.alpha * (1 - kept) * weight, estimate))
    }
    for (weight, drawn) in noise ?? [] {
      terms.append((next.alpha * split.up * noiseScale * weight, drawn))
    }
    return Tensor.linearCombination(terms)
  }
}
