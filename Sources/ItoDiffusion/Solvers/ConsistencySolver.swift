public import ItoComponents
public import ItoTensors

/// Takes the clean estimate and adds new noise: how consistency models are sampled in several steps.
///
/// `x_next = αₙ·clean + √(σₙ² − (αₙ·floor)²)·z`, floor the sigma/alpha that the estimates keep.
/// - Order: none; each step is as good as the network's estimate. One evaluation a step; no noise in a
///   step to sigma 0.
/// - Domain: from pure noise too. For networks distilled or trained for it; others give blurred pictures
///   in few steps.
/// - Source: Song et al. 2023, *Consistency Models*, arXiv:2303.01469, algorithm 1; Luo et al. 2023,
///   *Latent Consistency Models*, arXiv:2310.04378, algorithm 3.
public struct ConsistencySolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "lcm"
  /// What other tools call it.
  public static let aliases = [
    "consistency", "LCMScheduler", "CMStochasticIterativeScheduler", "FlowMatchLCMScheduler",
  ]
  /// One line for tables.
  public static let summary = "the clean estimate with new noise (consistency models)"

  /// Sigma/alpha that the estimates keep.
  public var floor: Double
  /// Scale of the new noise.
  public var noiseScale: Double
  /// The clean estimate is kept within ± this, if given.
  public var clip: Double?

  /// For estimates without noise and without clipping unless told otherwise.
  public init(floor: Double = 0, noiseScale: Double = 1, clip: Double? = nil) {
    self.floor = floor
    self.noiseScale = noiseScale
    self.clip = clip
  }

  /// Takes the options `floor`, `noise-scale`, `clip`.
  public init(options: inout OptionReader) throws(OptionError) {
    floor = try options.double("floor", default: 0, in: 0...1e6)
    noiseScale = try options.double("noise-scale", default: 1, in: 0...10)
    clip = try options.double("clip", in: 0...1e6)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: true, source: "arXiv:2303.01469")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let estimate = try denoise(x, current)
    let clean = clip.map { estimate.clamped(to: -$0...$0) } ?? estimate
    guard next.sigma > 0 else { return clean }
    let least = next.alpha * floor
    let deviation = max(0, next.sigma * next.sigma - least * least).squareRoot()
    return Tensor.linearCombination([
      (next.alpha, clean), (deviation * noiseScale, try noise.normal(x.shape)),
    ])
  }
}
