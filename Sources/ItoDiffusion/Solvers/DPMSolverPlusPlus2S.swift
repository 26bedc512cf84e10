public import ItoComponents
public import ItoTensors

/// DPM-Solver++(2S): a step by the estimate halfway in log-SNR.
///
/// With s = σ/α: DDIM's step to s_m = √(s_c·s_d), the estimate there, then DDIM's step from x to s_d with
/// it. Without noise s_d = sₙ; ancestral, s_d and the fresh noise are those of Euler's ancestral step.
/// - Order: 2. Two evaluations a step; one in a last step to sigma 0, which is Euler's.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: Lu et al. 2022, *DPM-Solver++*, arXiv:2211.01095, algorithm 1 with r = ½;
///   `sample_dpmpp_2s_ancestral` of k-diffusion.
public struct DPMSolverPlusPlus2S: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm++2s"
  /// What other tools call it.
  public static let aliases = ["dpmpp-2s", "dpm-solver++2s"]
  /// One line for tables.
  public static let summary = "second order in log-SNR, two evaluations a step"

  /// Share of the noise that is drawn anew.
  public var eta: Double
  /// Scale of the new noise.
  public var noiseScale: Double

  /// Without noise unless told otherwise.
  public init(eta: Double = 0, noiseScale: Double = 1) {
    self.eta = eta
    self.noiseScale = noiseScale
  }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, eta: 0)
  }

  init(options: inout OptionReader, eta: Double) throws(OptionError) {
    self.eta = try options.double("eta", default: eta, in: 0...10)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
  }

  /// The variant with fresh noise in every step.
  static let ancestral = Registry<any Solver>.Entry(
    name: "dpm++2s-ancestral", aliases: ["dpm++2s a", "dpmpp-2s-ancestral", "dpmpp-2s-a"],
    summary: "second order in log-SNR with fresh noise in every step"
  ) { (options) throws(OptionError) in try DPMSolverPlusPlus2S(options: &options, eta: 1) }

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
    let split = AncestralSplit(from: current, to: next, eta: eta)
    guard current.alpha > 0, split.down > 0 else {
      return try implicitStep(
        x, estimate: clean, from: current, to: next, eta: next.sigma > 0 ? eta : 0,
        noiseScale: noiseScale, noise: &noise)
    }
    let start = current.noiseToSignal
    let middle = plan.schedule.level(noiseToSignal: (start * split.down).squareRoot())
    let halfway = try implicitStep(x, estimate: clean, from: current, to: middle, noise: &noise)
    let second = try denoise(halfway, middle)
    let kept = split.down / start
    var terms = [
      (coefficient: next.alpha / current.alpha * kept, tensor: x),
      (next.alpha * (1 - kept), second),
    ]
    if eta > 0 {
      terms.append((next.alpha * split.up * noiseScale, try noise.normal(x.shape)))
    }
    return Tensor.linearCombination(terms)
  }
}
