public import ItoComponents
public import ItoTensors

/// Classifier-free guidance without the part that oversaturates: the update is bounded, and what of
/// it lies along the conditional estimate is weakened.
///
/// `Δ = (c − u) + momentum·Δ_before`, shortened to `norm`; with Δ∥ its part along c and Δ⊥ the rest:
/// `c + (scale − 1)·(Δ⊥ + eta·Δ∥)`. Eta 1 without bound and momentum is classifier-free guidance.
/// Lengths and projections are those of each sample.
/// - Source: Sadat et al. 2025, *Eliminating Oversaturation and Artifacts of High Guidance Scales in
///   Diffusion Models*, arXiv:2410.02416, algorithm 1.
public struct AdaptiveProjectedGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "apg"
  /// What other tools call it.
  public static let aliases = ["adaptive-projected", "adaptive-projected-guidance"]
  /// One line for tables.
  public static let summary = "classifier-free guidance without its oversaturating part"

  /// 1 for no guidance.
  public var scale: Double
  /// Weight of the part along the conditional estimate.
  public var eta: Double
  /// Greatest Euclidean length of the update of a sample; nil for no bound.
  public var norm: Double?
  /// Share of the update before that is added; negative values push away from it.
  public var momentum: Double

  /// What the paper uses for Stable Diffusion XL unless told otherwise.
  public init(scale: Double, eta: Double = 0, norm: Double? = 15, momentum: Double = -0.5) {
    self.scale = scale
    self.eta = eta
    self.norm = norm
    self.momentum = momentum
  }

  /// Takes the options `scale`, `eta`, `norm` (0 for no bound), `momentum`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 7.5)
    eta = try options.double("eta", default: 0, in: -10...10)
    let bound = try options.double("norm", default: 15, in: 0...1e9)
    norm = bound > 0 ? bound : nil
    momentum = try options.double("momentum", default: -0.5, in: -0.99...0.99)
  }

  /// The update before, if there was one.
  public struct Memory: Sendable {
    var update: Tensor?
  }

  /// The state at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory() }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Memory) -> [GuidancePass] {
    scale == 1 ? [.conditional] : [.conditional, .unconditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Memory
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    let clean = estimates[0]
    var terms: [(coefficient: Double, tensor: Tensor)] = [(1, clean), (-1, estimates[1])]
    if momentum != 0, let before = memory.update, before.shape == clean.shape {
      terms.append((momentum, before))
    }
    let update = Tensor.linearCombination(terms)
    memory.update = update
    let lengths = update.sampleProducts(update).map { $0.squareRoot() }
    let shrinks = lengths.map { length in norm.map { min(1, $0 / max(length, 1e-30)) } ?? 1 }
    let along = update.sampleProducts(clean)
    let squares = clean.sampleProducts(clean)
    // c + (s − 1)·shrink·(Δ + (eta − 1)·(⟨Δ, c⟩/⟨c, c⟩)·c), in one pass.
    let updateWeights = shrinks.map { (scale - 1) * $0 }
    let cleanWeights = updateWeights.indices.map { k in
      squares[k] > 0 ? 1 + updateWeights[k] * (eta - 1) * along[k] / squares[k] : 1
    }
    return Tensor.linearCombination(perSample: [(cleanWeights, clean), (updateWeights, update)])
  }
}
