public import ItoComponents
public import ItoTensors

/// The midpoint method over sigma/alpha, its midpoint in the logarithm.
///
/// With y = x/α, s = σ/α and s_m = √(s_c·s_d): Euler's step to s_m, the slope `d = (y_m − clean_m)/s_m`
/// there, then `y_next = y + (s_d − s_c)·d + up·z`. Without noise s_d = sₙ; ancestral,
/// `up = min(sₙ, η·sₙ·√(1 − sₙ²/s_c²))` and `s_d = √(sₙ² − up²)`.
/// - Order: 2. Two evaluations a step; one in a last step to sigma 0, which is Euler's.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: Karras et al. 2022, arXiv:2206.00364, algorithms 1 and 3 (α = ½ in log sigma); `sample_dpm_2`
///   and `sample_dpm_2_ancestral` of k-diffusion.
public struct DPM2: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "dpm2"
  /// What other tools call it.
  public static let aliases = ["KDPM2DiscreteScheduler", "k-dpm-2"]
  /// One line for tables.
  public static let summary = "midpoint method, two evaluations a step"

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
    name: "dpm2-ancestral", aliases: ["dpm2 a", "KDPM2AncestralDiscreteScheduler"],
    summary: "midpoint method with fresh noise in every step"
  ) { (options) throws(OptionError) in try DPM2(options: &options, eta: 1) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: eta > 0 ? 1 : 2, evaluations: 2, isStochastic: eta > 0, source: "arXiv:2206.00364")
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
    let slope = next.alpha * (split.down - start) / middle.noiseToSignal
    var terms = [
      (coefficient: next.alpha / current.alpha, tensor: x), (slope / middle.alpha, halfway),
      (-slope, second),
    ]
    if eta > 0 {
      terms.append((next.alpha * split.up * noiseScale, try noise.normal(x.shape)))
    }
    return Tensor.linearCombination(terms)
  }
}

/// A step in sigma/alpha taken further down than wanted, the difference made up by fresh noise.
///
/// - Source: `get_ancestral_step` of k-diffusion; Song et al. 2021, arXiv:2010.02502, equation 16.
struct AncestralSplit {
  /// Where the deterministic part goes, sigma/alpha.
  let down: Double
  /// Deviation of the new noise, sigma/alpha.
  let up: Double

  init(from current: NoiseLevel, to next: NoiseLevel, eta: Double) {
    let target = next.noiseToSignal
    let remainder = current.remainder(at: next)
    up = min(target, eta * target * max(0, 1 - remainder * remainder).squareRoot())
    down = max(0, target * target - up * up).squareRoot()
  }
}
