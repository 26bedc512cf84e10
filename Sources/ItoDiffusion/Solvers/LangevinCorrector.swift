public import ItoComponents
public import ItoTensors

/// Predictor–corrector: an ancestral step to the next level, then steps of Langevin's that bring the
/// sample closer to the distribution there.
///
/// Correction at level (α, σ), with the score g = (α·clean − x)/σ² and ε = 2·(snr·σ)²:
/// `x ← x + ε·g + √(2ε)·z`
/// - Order: 1. One evaluation for the step and one for each correction; none is made at σ = 0.
/// - Source: Song et al. 2021, *Score-Based Generative Modeling through SDEs*, arXiv:2011.13456,
///   algorithms 1, 4 and 5. Differs in that ε is made with the expected lengths of noise and score, √d
///   and √d/σ, instead of those found, so that it depends neither on the draw nor on the batch.
public struct LangevinCorrector: Solver, Configurable {
  /// Its name in the registry.
  public static let name = "predictor-corrector"
  /// What other tools call it.
  public static let aliases = ["pc", "langevin", "ScoreSdeVeScheduler"]
  /// One line for tables.
  public static let summary = "ancestral steps corrected by Langevin's"

  /// Length of a correction in units of the level's noise.
  public var signalToNoise: Double
  /// Corrections after each step.
  public var corrections: Int
  /// Share of the ancestral step's noise: 1 as published, 0 for a predictor without.
  public var eta: Double

  /// One correction of the length that the paper found best unless told otherwise.
  public init(signalToNoise: Double = 0.16, corrections: Int = 1, eta: Double = 1) {
    self.signalToNoise = signalToNoise
    self.corrections = corrections
    self.eta = eta
  }

  /// Takes the options `snr`, `corrections`, `eta`.
  public init(options: inout OptionReader) throws(OptionError) {
    signalToNoise = try options.double("snr", default: 0.16, in: 0...1)
    corrections = try options.int("corrections", default: 1, in: 0...1000)
    eta = try options.double("eta", default: 1, in: 0...1)
  }

  /// Order, evaluations, noise and source.
  public var traits: SolverTraits {
    SolverTraits(
      order: 1, evaluations: 1 + corrections, isStochastic: eta > 0 || corrections > 0,
      source: "arXiv:2011.13456")
  }

  /// The sample at `next`.
  public func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Void,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor {
    var reached = try implicitStep(
      x, estimate: try denoise(x, current), from: current, to: next, eta: eta, noise: &noise)
    guard next.sigma > 0 else { return reached }
    let length = 2 * signalToNoise * signalToNoise
    for _ in 0..<corrections {
      let clean = try denoise(reached, next)
      reached = Tensor.linearCombination([
        (1 - length, reached), (length * next.alpha, clean),
        ((2 * length).squareRoot() * next.sigma, try noise.normal(x.shape)),
      ])
    }
    return reached
  }
}
