import ItoDiffusion
import ItoModules
import ItoTensors

/// Transformer blocks over the pixels of a feature map, which attend to each other and to a prompt; added
/// to their input.
///
/// - Source: Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*,
///   arXiv:2112.10752, §3.3 and appendix E.2.1.
struct SpatialTransformer: FeatureMapAttention {
  /// The shape of one.
  struct Shape: Sendable, Hashable {
    var channels: Int, heads: Int, layers: Int
    /// Features of a prompt's tokens.
    var contextFeatures: Int
    /// Groups of the group norm.
    var groups: Int
    /// Project into and out of the blocks by linear layers instead of 1×1 convolutions. The same
    /// arithmetic, but kept in another form in files.
    var projectsLinearly: Bool
    /// The first attention of a block is to the prompt too.
    var attendsToPromptOnly: Bool
  }

  private var norm: GroupNorm
  private var linearIn: Linear?, linearOut: Linear?, convIn: Conv2D?, convOut: Conv2D?
  private var blocks: [TransformerBlock]

  /// - Parameter block: the number of the first transformer block in its network.
  init(_ s: Shape, block: Int, _ initial: inout ParameterInitializer) {
    norm = GroupNorm(groups: s.groups, channels: s.channels, epsilon: 1e-6, &initial)
    blocks = (0..<s.layers).map { TransformerBlock(s, number: block + $0, &initial) }
    if s.projectsLinearly {
      linearIn = Linear(s.channels, s.channels, &initial)
      linearOut = Linear(s.channels, s.channels, zeros: true, &initial)
    } else {
      convIn = Conv2D(s.channels, s.channels, kernel: 1, &initial)
      convOut = Conv2D(s.channels, s.channels, kernel: 1, zeros: true, &initial)
    }
  }

  func callAsFunction(
    _ x: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let rows: ItoTensors.Shape = [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]
    let normed = norm(x)
    let entering = convIn?(normed) ?? linearIn?(normed) ?? normed
    var hidden = entering.reshaped(to: rows)
    for block in blocks { hidden = block(hidden, conditioning: conditioning, context: context) }
    let map = hidden.reshaped(to: x.shape)
    return convOut?(map, adding: x) ?? linearOut?(map, adding: x) ?? x + map
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("norm", &norm)
    try v.child("proj_in", &convIn)
    try v.child("proj_in", &linearIn)
    try v.children("transformer_blocks", &blocks)
    try v.child("proj_out", &convOut)
    try v.child("proj_out", &linearOut)
  }
}

/// Attention among pixels, attention to the prompt, and a gated feed-forward layer, each after a layer norm
/// and added to its input.
private struct TransformerBlock: Module {
  private var norm1: LayerNorm, selfAttention: Attention
  private var norm2: LayerNorm, crossAttention: Attention
  private var norm3: LayerNorm, up: Linear, down: Linear
  private let number: Int, attendsToPromptOnly: Bool

  init(_ s: SpatialTransformer.Shape, number: Int, _ initial: inout ParameterInitializer) {
    let head = s.channels / s.heads
    norm1 = LayerNorm(s.channels, &initial)
    selfAttention = Attention(
      s.channels, heads: s.heads, headDimension: head,
      contextFeatures: s.attendsToPromptOnly ? s.contextFeatures : nil, bias: false, &initial)
    norm2 = LayerNorm(s.channels, &initial)
    crossAttention = Attention(
      s.channels, heads: s.heads, headDimension: head, contextFeatures: s.contextFeatures,
      bias: false, &initial)
    norm3 = LayerNorm(s.channels, &initial)
    up = Linear(s.channels, 8 * s.channels, &initial)
    down = Linear(4 * s.channels, s.channels, &initial)
    self.number = number
    attendsToPromptOnly = s.attendsToPromptOnly
  }

  /// `[batch, pixels, channels]` to the same shape.
  func callAsFunction(
    _ x: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    guard let tokens = conditioning.tokens else { trap("this U-Net wants a prompt's tokens") }
    let normed = norm1(x)
    var hidden =
      x
      + context.run(.attention(block: number), on: normed) { normed in
        attendsToPromptOnly
          ? selfAttention(
            normed, encoder: tokens, mask: conditioning.mask, block: number, context: context)
          : selfAttention(normed, block: number, context: context)
      }
    hidden = crossAttention(
      norm2(hidden), encoder: tokens, mask: conditioning.mask, adding: hidden, block: number,
      context: context)
    return down(up(norm3(hidden)).geglu(), adding: hidden)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("norm1", &norm1)
    try v.child("attn1", &selfAttention)
    try v.child("norm2", &norm2)
    try v.child("attn2", &crossAttention)
    try v.child("norm3", &norm3)
    try v.scope("ff.net.0.proj") { v throws(V.Failure) in try up.visit(&v) }
    try v.scope("ff.net.2") { v throws(V.Failure) in try down.visit(&v) }
  }
}
