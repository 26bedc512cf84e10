public import ItoComponents
public import ItoTensors

/// Classifier-free guidance that stops for good once both estimates of the noise point the same way:
/// from there on one evaluation a step instead of two.
///
/// Stops after the first step in which `⟨ε_c, ε_u⟩/(‖ε_c‖·‖ε_u‖)` is at least `threshold` for every
/// sample of the batch. `SamplingResult.savedEvaluations` says what it saved.
/// - Source: Castillo et al. 2023, *Adaptive Guidance: Training-free Acceleration of Conditional
///   Diffusion Models*, arXiv:2312.12487.
public struct AdaptiveGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg-adaptive"
  /// What other tools call it.
  public static let aliases = ["adaptive", "adaptive-guidance"]
  /// One line for tables.
  public static let summary = "classifier-free guidance until the estimates agree"

  /// 1 for no guidance.
  public var scale: Double
  /// The cosine from which the estimates count as one; above 1 they never do.
  public var threshold: Double

  /// Guidance by `scale` until the cosine reaches `threshold`.
  public init(scale: Double, threshold: Double = 0.991) {
    self.scale = scale
    self.threshold = threshold
  }

  /// Takes the options `scale`, `threshold`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 7.5)
    threshold = try options.double("threshold", default: 0.991, in: -1...2)
  }

  /// Whether guidance has stopped.
  public struct Memory: Sendable {
    /// Whether the estimates agreed in a step before.
    public fileprivate(set) var hasStopped = false
  }

  /// The state at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory() }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Memory) -> [GuidancePass] {
    scale == 1 || memory.hasStopped ? [.conditional] : [.conditional, .unconditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Memory
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    // Multiples of the estimates of the noise.
    let noises = estimates.map { Tensor.linearCombination([(1, x), (-step.level.alpha, $0)]) }
    let products = noises[0].sampleProducts(noises[1])
    let squares = noises.map { $0.sampleProducts($0) }
    let agree = products.indices.allSatisfy { k in
      products[k] >= threshold * (squares[0][k] * squares[1][k]).squareRoot()
    }
    if agree { memory.hasStopped = true }
    return Tensor.linearCombination([(scale, estimates[0]), (1 - scale, estimates[1])])
  }
}
