public import ItoComponents
public import ItoTensors

/// Euler's step to less noise than wanted, the rest drawn anew.
///
/// With s = sigma/alpha: `up = min(sₙ, η·sₙ·√(1 − sₙ²/s_c²))`, a step down to `√(sₙ² − up²)`, then noise of
/// deviation `up`. With η = 1 the noise is that of the reversed process, as in DDPM. On a flow the same
/// rule keeps alpha and sigma on the schedule.
/// - Order: 1 in the mean. One evaluation and one draw of noise a step.
/// - Source: `sample_euler_ancestral` of k-diffusion; Song et al. 2021, arXiv:2010.02502, equation 16.
public struct AncestralEuler: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "euler-ancestral"
  /// What other tools call it.
  public static let aliases = ["euler-a", "euler a", "EulerAncestralDiscreteScheduler"]
  /// One line for tables.
  public static let summary = "Euler with fresh noise in every step"

  /// The noise of its steps; eta 0 is the method without.
  public var renewal: Renewal

  /// All noise new unless told otherwise.
  public init(renewal: Renewal = Renewal(eta: 1)) { self.renewal = renewal }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    renewal = try Renewal(options: &options, eta: 1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: renewal.eta > 0, source: "arXiv:2010.02502")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    return try implicitStep(
      x, estimate: clean, from: current, to: next, eta: renewal.eta,
      noiseScale: renewal.noiseScale, noise: &noise)
  }
}
