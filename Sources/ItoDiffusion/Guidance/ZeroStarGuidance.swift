public import ItoComponents
public import ItoTensors

/// CFG-Zero*: classifier-free guidance of a flow whose unconditional velocity is first scaled to fit
/// the conditional one, and whose first steps stand still.
///
/// With the velocities v of the estimates, `s* = ⟨v_c, v_u⟩/‖v_u‖²` for each sample:
/// `v = s*·v_u + scale·(v_c − s*·v_u)`, and v = 0 in the first `zero-steps` steps, where the network is
/// least sure. Velocities are `x/(α + σ) − clean`, which for a flow is its velocity times its time.
/// - Source: Fan et al. 2025, *CFG-Zero*: Improved Classifier-Free Guidance for Flow Matching Models*,
///   arXiv:2503.18886, algorithm 1.
public struct ZeroStarGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "cfg-zero"
  /// What other tools call it.
  public static let aliases = ["cfg-zero*", "cfg-zero-star"]
  /// One line for tables.
  public static let summary = "for flows: fits the unconditional velocity, stands still at first"

  /// 1 for no guidance.
  public var scale: Double
  /// Steps that stand still.
  public var zeroSteps: Int

  /// Guidance by `scale`, with one step that stands still unless told otherwise.
  public init(scale: Double, zeroSteps: Int = 1) {
    self.scale = scale
    self.zeroSteps = zeroSteps
  }

  /// Takes the options `scale`, `zero-steps`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 4)
    zeroSteps = try options.int("zero-steps", default: 1, in: 0...1000)
  }

  /// The evaluations wanted at a step. One is made even where the sample stands still, because a
  /// solver with a memory wants a finite estimate of every step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    scale == 1 || step.index < zeroSteps ? [.conditional] : [.conditional, .unconditional]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard scale != 1 else { return estimates[0] }
    let origin = 1 / (step.level.alpha + step.level.sigma)
    guard estimates.count == 2 else { return Tensor.linearCombination([(origin, x)]) }
    let conditional = Tensor.linearCombination([(origin, x), (-1, estimates[0])])
    let unconditional = Tensor.linearCombination([(origin, x), (-1, estimates[1])])
    let squares = unconditional.sampleProducts(unconditional)
    let fits = Swift.zip(conditional.sampleProducts(unconditional), squares).map {
      $1 > 0 ? $0 / $1 : 1
    }
    // x/(α + σ) − v, in one pass.
    return Tensor.linearCombination(perSample: [
      (fits.map { origin * (1 - scale) * (1 - $0) }, x),
      ([Double](repeating: scale, count: fits.count), estimates[0]),
      (fits.map { (1 - scale) * $0 }, estimates[1]),
    ])
  }
}
