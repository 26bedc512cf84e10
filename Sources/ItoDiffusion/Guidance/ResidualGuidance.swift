public import ItoComponents
public import ItoTensors

/// Residual classifier-free guidance: the unconditional estimate is made once, in the first step, and
/// its residual noise stands in for it afterwards. One evaluation a step instead of two.
///
/// With u₀ the clean estimate kept, `ε_u = (x − α·u₀)/σ` and `ε = δ·ε_u + scale·(ε_c − δ·ε_u)`, as a
/// clean estimate `(1 − scale − (1 − scale)·δ)·x/α + scale·c + (1 − scale)·δ·u₀`. A reference picture in
/// the place of u₀ (the picture that a run starts from) saves that evaluation too.
/// - Source: Kodaira et al. 2023, *StreamDiffusion*, arXiv:2312.12491, section 3.2.
public struct ResidualGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "rcfg"
  /// What other tools call it.
  public static let aliases = ["residual-cfg", "residual", "onetime-negative"]
  /// One line for tables.
  public static let summary = "classifier-free guidance with one unconditional evaluation"

  /// 1 for no guidance.
  public var scale: Double
  /// Share of the residual noise that counts.
  public var delta: Double
  /// After how many steps the unconditional estimate is made anew; 0 for never.
  public var refresh: Int
  /// The clean latent to use from the start, `[batch, …]`; nil to make the estimate.
  public var reference: Tensor?

  /// Guidance by `scale`.
  public init(scale: Double, delta: Double = 1, refresh: Int = 0, reference: Tensor? = nil) {
    self.scale = scale
    self.delta = delta
    self.refresh = refresh
    self.reference = reference
  }

  /// Takes the options `scale`, `delta`, `refresh`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 1.4)
    delta = try options.double("delta", default: 1, in: 0...2)
    refresh = try options.int("refresh", default: 0, in: 0...10_000)
  }

  /// The unconditional estimate kept and the step it is from.
  public struct Memory: Sendable {
    var estimate: Tensor?
    var step = 0
  }

  /// The state at the beginning of a run.
  public func makeMemory(for plan: SamplingPlan) -> Memory { Memory(estimate: reference) }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Memory) -> [GuidancePass] {
    if scale == 1 { return [.conditional] }
    let isStale = refresh > 0 && step.index - memory.step >= refresh
    return memory.estimate == nil || isStale ? [.conditional, .unconditional] : [.conditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Memory
  ) -> Tensor {
    guard scale != 1 else { return estimates[0] }
    if estimates.count == 2 { memory = Memory(estimate: estimates[1], step: step.index) }
    guard let kept = memory.estimate else { return estimates[0] }
    // At pure noise the sample says nothing of the clean one, and the residual is the noise itself.
    let share = step.level.alpha > 0 ? delta : 1
    var terms: [(coefficient: Double, tensor: Tensor)] = [
      (scale, estimates[0]), ((1 - scale) * share, kept),
    ]
    if share != 1 { terms.append(((1 - scale) * (1 - share) / step.level.alpha, x)) }
    return Tensor.linearCombination(terms)
  }
}
