public import ItoComponents
import ItoTensors

/// The midpoint method over sigma/alpha, its midpoint in the logarithm.
///
/// With y = x/α, s = σ/α and s_m = √(s_c·s_d): Euler's step to s_m, the slope `d = (y_m − clean_m)/s_m`
/// there, then `y_next = y + (s_d − s_c)·d + up·z`. Without noise s_d = sₙ; ancestral,
/// `up = min(sₙ, η·sₙ·√(1 − sₙ²/s_c²))` and `s_d = √(sₙ² − up²)`.
/// - Order: 2. Two evaluations a step; one in a last step to sigma 0, which is Euler's.
/// - Domain: a first step from pure noise is Euler's.
/// - Source: Karras et al. 2022, arXiv:2206.00364, algorithms 1 and 3 (α = ½ in log sigma); `sample_dpm_2`
///   and `sample_dpm_2_ancestral` of k-diffusion.
public struct DPM2: LogMidpointMethod, Configurable {
  /// Its name in the registry.
  public static let name = "dpm2"
  /// What other tools call it.
  public static let aliases = ["KDPM2DiscreteScheduler", "k-dpm-2"]
  /// One line for tables.
  public static let summary = "midpoint method, two evaluations a step"

  /// The noise of its steps.
  public var renewal: Renewal

  /// Without noise unless told otherwise.
  public init(renewal: Renewal = Renewal()) { self.renewal = renewal }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    renewal = try Renewal(options: &options, eta: 0)
  }

  /// The variant with fresh noise in every step.
  static let ancestral = Registry<any Solver>.Entry(
    name: "dpm2-ancestral", aliases: ["dpm2 a", "KDPM2AncestralDiscreteScheduler"],
    summary: "midpoint method with fresh noise in every step"
  ) { (options) throws(OptionError) in DPM2(renewal: try Renewal(options: &options, eta: 1)) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: renewal.eta > 0 ? 1 : 2, evaluations: 2, isStochastic: renewal.eta > 0,
      source: "arXiv:2206.00364")
  }

  func end(
    from x: Tensor, by middle: Midpoint, down: Double, _ current: NoiseLevel, _ next: NoiseLevel
  ) -> [(coefficient: Double, tensor: Tensor)] {
    let slope = next.alpha * (down - current.noiseToSignal) / middle.level.noiseToSignal
    return [
      (next.alpha / current.alpha, x), (slope / middle.level.alpha, middle.sample),
      (-slope, middle.clean),
    ]
  }
}
