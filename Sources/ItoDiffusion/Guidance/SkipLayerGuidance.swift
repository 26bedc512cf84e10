public import ItoComponents
public import ItoTensors

/// Away from what a transformer draws without some of its blocks, in the early part of the run.
///
/// `u + cfg·(c − u) + scale·(c − p)`, p the conditional estimate with the blocks left out.
/// - Domain: models made of blocks, such as DiT and MMDiT.
/// - Source: Stability AI 2024, the reference sampler of Stable Diffusion 3.5 medium (blocks 7, 8, 9,
///   scale 2.5, from 1 % to 20 % of the run); Hyung et al. 2025, *Spatiotemporal Skip Guidance*,
///   arXiv:2411.18664.
public struct SkipLayerGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "slg"
  /// What other tools call it.
  public static let aliases = ["skip-layer", "skip-layer-guidance", "spatiotemporal-skip"]
  /// One line for tables.
  public static let summary = "away from the estimate without some blocks"

  /// The rule.
  public var rule: PerturbationRule

  /// Guidance by `scale` over the skipping of `blocks` where `StepInfo.progress` lies in `progress`;
  /// a `cfg` other than 1 adds classifier-free guidance in all of the run.
  public init(
    scale: Double, cfg: Double = 1, blocks: BlockSelection,
    progress: ClosedRange<Double> = 0.01...0.2
  ) {
    rule = PerturbationRule(
      id: PassID("skipped-blocks"), perturbation: Perturbation(skippedBlocks: blocks),
      scale: scale, cfg: cfg, progress: progress)
  }

  /// Takes the options `scale`, `cfg`, `blocks`, `start`, `end`.
  public init(options: inout OptionReader) throws(OptionError) {
    let scale = try options.double("scale", default: 2.5)
    let cfg = try options.double("cfg", default: 1)
    let blocks = try BlockSelection(options: &options) ?? .only([7, 8, 9])
    let start = try options.double("start", default: 0.01, in: 0...1)
    let end = try options.double("end", default: 0.2, in: 0...1)
    guard start <= end else {
      throw .invalidValue(key: "start", value: "\(start)", allowed: "at most end, \(end)")
    }
    self.init(scale: scale, cfg: cfg, blocks: blocks, progress: start...end)
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    rule.passes(at: step)
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor { rule.combine(estimates, at: step) }
}
