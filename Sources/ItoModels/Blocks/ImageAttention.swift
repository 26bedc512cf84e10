import ItoDiffusion
import ItoModules
import ItoTensors

/// Self-attention over the pixels of a feature map, added to its input.
struct ImageAttention: FeatureMapAttention {
  var groupNorm: GroupNorm?
  var attention: Attention
  private let outputScale: Double, block: Int

  init(
    _ channels: Int, headDimension: Int, groups: Int?, epsilon: Double, outputScale: Double = 1,
    block: Int,
    _ initial: inout ParameterInitializer
  ) {
    groupNorm = groups.map { GroupNorm(groups: $0, channels: channels, epsilon: epsilon, &initial) }
    attention = Attention(
      channels, heads: channels / headDimension, headDimension: headDimension, zeroOutput: true,
      &initial)
    self.outputScale = outputScale
    self.block = block
  }

  /// `[batch, height, width, channels]` to the same shape.
  func callAsFunction(
    _ x: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let tokens = (groupNorm.map { $0(x) } ?? x).reshaped(
      to: [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    let sum = attention(
      tokens, adding: x.reshaped(to: tokens.shape), block: block, context: context
    ).reshaped(to: x.shape)
    return outputScale == 1 ? sum : sum / outputScale
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("group_norm", &groupNorm)
    try attention.visit(&v)
  }
}
