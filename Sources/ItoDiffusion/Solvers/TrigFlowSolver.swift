public import ItoComponents
public import ItoTensors

/// Steps on the circle of TrigFlow: a rotation by the network's velocity, or multistep consistency
/// sampling.
///
/// With d the data's deviation, d·F the velocity, which networks of `TrigFlowPrediction` put out, and angles
/// t, s of the levels, `x_s = cos(t − s)·x_t − sin(t − s)·d·F`. The clean estimate being `cos t·x_t − sin t·d·F`, that is
/// `x_s = (sin s/sin t)·x_t + (sin(t − s)/sin t)·clean`, which no longer names d and, with σ for d·sin and α
/// for cos, holds on every process. With `renews` the estimate is kept and its noise drawn anew,
/// `x_s = cos s·clean + d·sin s·z`, which is how a consistency model (sCM) is sampled in more than one step.
/// - Order: 1, where the rotation is exact for a constant estimate; none with `renews`, where each step is
///   as good as the network's estimate. One evaluation a step.
/// - Domain: from pure noise too, a right angle.
/// - Source: Lu & Song 2024, *Simplifying, Stabilizing and Scaling Continuous-Time Consistency Models*,
///   arXiv:2410.11081, section 3 and appendix B; Song et al. 2023, arXiv:2303.01469, algorithm 1.
public struct TrigFlowSolver: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "trigflow"
  /// One line for tables.
  public static let summary = "a rotation by the velocity of TrigFlow"

  /// Whether the noise is drawn anew in every step.
  public var renews: Bool

  /// The probability flow unless told otherwise.
  public init(renews: Bool = false) { self.renews = renews }

  /// Takes the option `renews`.
  public init(options: inout OptionReader) throws(OptionError) {
    try self.init(options: &options, renews: false)
  }

  private init(options: inout OptionReader, renews: Bool) throws(OptionError) {
    self.renews = try options.bool("renews", default: renews)
  }

  /// Multistep consistency sampling, for models trained for it.
  static let consistency = Registry<any Solver>.Entry(
    name: "scm", aliases: ["SCMScheduler", "sana-sprint"],
    summary: "multistep sampling of consistency models on TrigFlow"
  ) { (options) throws(OptionError) in try TrigFlowSolver(options: &options, renews: true) }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(order: 1, isStochastic: renews, source: "arXiv:2410.11081")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    let clean = try denoise(x, current)
    // sin(t − s)/sin t = cos s − cos t·(sin s/sin t)
    guard renews else {
      let turned = next.sigma / current.sigma
      return Tensor.linearCombination([
        (turned, x), (next.alpha - current.alpha * turned, clean),
      ])
    }
    guard next.sigma > 0 else { return clean }
    return Tensor.linearCombination([(next.alpha, clean), (next.sigma, try noise.normal(x.shape))])
  }
}
