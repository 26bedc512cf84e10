import ItoDiffusion
import ItoModules
import ItoTensors

/// One convolution level of a `ConvTransformer`: a residual block down, one up, and the changes of size.
struct ConvTransformerLevel: Module {
  var before: ResidualBlock, down: Linear, up: Linear, after: ResidualBlock

  init(
    _ c: ConvTransformerConfiguration, level: Int, _ initial: inout ParameterInitializer
  ) {
    let own = c.channels[level]
    let next = level + 1 < c.channels.count ? c.channels[level + 1] : c.width
    func block(_ channels: Int, _ initial: inout ParameterInitializer) -> ResidualBlock {
      ResidualBlock(
        channels, own, timeFeatures: c.conditioningFeatures, groups: c.normGroups, epsilon: 1e-5,
        mode: .scaleShift, &initial)
    }
    before = block(own, &initial)
    down = Linear(4 * own, next, &initial)
    up = Linear(next, 4 * own, &initial)
    after = block(2 * own, &initial)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("before", &before)
    try v.child("down", &down)
    try v.child("up", &up)
    try v.child("after", &after)
  }
}

/// One transformer block of a `ConvTransformer`: attention, the prompt, and a feed-forward layer.
struct ConvTransformerBlock: Module {
  private var modulation: Linear, attention: Attention, cross: Attention?, up: Linear, down: Linear
  private let index: Int
  private let identity = LayerIdentity()

  init(_ c: ConvTransformerConfiguration, index: Int, _ initial: inout ParameterInitializer) {
    self.index = index
    modulation = Linear(c.conditioningFeatures, 6 * c.width, zeros: true, &initial)
    attention = Attention(
      c.width, heads: c.heads, headDimension: c.headDimension, bias: false,
      normalizesQueriesAndKeys: true, &initial)
    cross = c.crossAttentionFeatures.map { _ in
      Attention(
        c.width, heads: c.heads, headDimension: c.headDimension, bias: false,
        normalizesQueriesAndKeys: true, zeroOutput: true, &initial)
    }
    up = Linear(c.width, 4 * c.width, &initial)
    down = Linear(4 * c.width, c.width, &initial)
  }

  /// - Parameters:
  ///   - x: `[batch, tokens, width]`.
  ///   - steering: vectors of `conditioningFeatures`, SiLU already applied.
  ///   - prompt: keys and values `[batch, keys, width]`, and which count.
  func callAsFunction(
    _ x: Tensor, steering: Steering, _ prompt: (tokens: Tensor, mask: Tensor?)?,
    context: EvaluationContext
  ) -> Tensor {
    let m = steering.projected(by: modulation, of: identity).chunks(6, axis: -1)
    let attended = attention(
      x.layerNormModulated(scale: m[1], shift: m[0]), block: index, context: context)
    var hidden = addGated(x, attended, gate: m[2])
    if let cross, let prompt {
      hidden = cross(
        hidden.layerNorm(), encoder: prompt.tokens, mask: prompt.mask, adding: hidden, block: index,
        context: context)
    }
    let normed = hidden.layerNormModulated(scale: m[4], shift: m[3])
    return addGated(hidden, down(up(normed, activation: .geluTanh)), gate: m[5])
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("modulation", &modulation)
    try v.child("attn", &attention)
    try v.child("cross", &cross)
    try v.child("up", &up)
    try v.child("down", &down)
  }
}
