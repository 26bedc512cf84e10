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

  /// Share of the noise that is drawn anew: 1 for all that may be, 0 for Euler.
  public var eta: Double
  /// Scale of the new noise.
  public var noiseScale: Double

  /// All noise new unless told otherwise.
  public init(eta: Double = 1, noiseScale: Double = 1) {
    self.eta = eta
    self.noiseScale = noiseScale
  }

  /// Takes the options `eta`, `noise-scale`.
  public init(options: inout OptionReader) throws(OptionError) {
    eta = try options.double("eta", default: 1, in: 0...10)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: eta > 0, source: "arXiv:2010.02502")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    return try implicitStep(
      x, estimate: clean, from: current, to: next, eta: eta, noiseScale: noiseScale, noise: &noise)
  }
}
