public import ItoComponents
public import ItoTensors

/// Away from what the network draws when tokens of some blocks attend only to themselves: better
/// structure, with or without a prompt.
///
/// `u + cfg·(c − u) + scale·(c − p)`, p the conditional estimate with identity attention.
/// - Domain: models with self-attention. A block is the number that the model gives its attention: the
///   level of a U-Net, the block of a transformer.
/// - Source: Ahn et al. 2024, *Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance*,
///   arXiv:2403.17377, section 4.
public struct PerturbedAttentionGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "pag"
  /// What other tools call it.
  public static let aliases = ["perturbed-attention", "perturbed-attention-guidance"]
  /// One line for tables.
  public static let summary = "away from the estimate with identity attention"

  /// The rule.
  public var rule: PerturbationRule

  /// Guidance by `scale` over the attention of `blocks`; a `cfg` other than 1 adds classifier-free
  /// guidance.
  public init(scale: Double, cfg: Double = 1, blocks: BlockSelection = .all) {
    rule = PerturbationRule(
      id: PassID("perturbed-attention"), perturbation: Perturbation(identityAttention: blocks),
      scale: scale, cfg: cfg, progress: 0...1)
  }

  /// Takes the options `scale`, `cfg`, `blocks` (all when omitted).
  public init(options: inout OptionReader) throws(OptionError) {
    let scale = try options.double("scale", default: 3)
    let cfg = try options.double("cfg", default: 1)
    self.init(scale: scale, cfg: cfg, blocks: try BlockSelection(options: &options) ?? .all)
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
