public import ItoComponents
public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// A diffusion transformer: patches as tokens, time and class through adaptive layer norms whose gates
/// start closed (adaLN-Zero); optionally cross-attention to conditioning tokens and normalised queries
/// and keys.
///
/// Parameters are keyed like diffusers' `DiTTransformer2DModel`, so its published weights load unchanged.
///
/// - Shapes: `x` `[batch, height, width, inChannels]` (multiples of the patch), `time` `[batch]` (steps
///   of a thousand), label int `[batch]` (none: the null class), tokens `[batch, tokens, features]`
///   (none: cross-attention adds nothing), result `[batch, height, width, outChannels]`.
/// - Cache sites: `.block(index:count:)`.
/// - Source: Peebles & Xie 2023, *Scalable Diffusion Models with Transformers*, arXiv:2212.09748;
///   queries and keys normalised: Henry et al. 2020, arXiv:2010.04245.
public struct DiT: RegisteredBackbone {
  /// The `_class_name` of its configuration.
  public static let className = "DiTTransformer2DModel"

  /// Its shape.
  public let configuration: DiTConfiguration
  private var patch: Conv2D, blocks: [DiTBlock], modulation: Linear, output: Linear
  /// Position table at the configured size; not a parameter.
  private let positions: Tensor
  private let identity = LayerIdentity()
  /// Recompute each block in the backward pass instead of keeping its activations.
  public var usesCheckpointing = false

  /// Made from options.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try DiTConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: DiTConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    patch = Conv2D(
      c.inChannels, c.width, kernel: c.patchSize, stride: c.patchSize, padding: 0, &initial)
    blocks = (0..<c.layers).map { DiTBlock(c, index: $0, &initial) }
    modulation = Linear(c.width, 2 * c.width, zeros: true, &initial)
    output = Linear(
      c.width, c.patchSize * c.patchSize * c.outChannels, zeros: true, &initial)
    let grid = c.sampleSize / c.patchSize
    positions = Self.positionTable(c, height: grid, width: grid)
  }

  /// Channels of the noisy input.
  public var inputChannels: Int { configuration.inChannels }
  /// Channels of the result.
  public var outputChannels: Int { configuration.outChannels }
  /// Classes a label may name, the null class included.
  public var classCount: Int? { configuration.classes.map { $0 + 1 } }
  /// Height and width it was made for.
  public var sampleSize: Int? { configuration.sampleSize }
  /// All of them: positions are added before the first.
  public var routableBlocks: Int { configuration.layers }
  /// Its patches.
  public var tokenSquares: TokenSquares? {
    TokenSquares(side: configuration.patchSize, features: configuration.width)
  }

  private static func positionTable(_ c: DiTConfiguration, height: Int, width: Int) -> Tensor {
    Tensor.sinCosPositions(
      height: height, width: width, features: c.width, baseSize: c.sampleSize / c.patchSize)
  }

  /// The raw output; see the type for shapes.
  public func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let c = configuration
    let (batch, p) = (x.shape[0], c.patchSize)
    require(
      x.shape[1] % p == 0 && x.shape[2] % p == 0, "DiT: \(x.shape) is no multiple of patch \(p)")
    let (rows, columns) = (x.shape[1] / p, x.shape[2] / p)
    let grid = c.sampleSize / p
    let table =
      rows == grid && columns == grid
      ? positions : Self.positionTable(c, height: rows, width: columns)
    let patches = patch(x).reshaped(to: [batch, rows * columns, c.width])
    var hidden = patches + table.cast(to: patches.dtype)

    let shared = blocks[0].steering(at: time, label: conditioning.label, context)
    for (i, block) in blocks.enumerated() {
      hidden = context.run(.block(index: i, count: blocks.count), on: hidden) { hidden in
        let steering =
          block.embedding == nil || i == 0
          ? shared : block.steering(at: time, label: conditioning.label, context)
        guard usesCheckpointing && context.isTraining else {
          return block(hidden, steering: steering, conditioning: conditioning, context: context)
        }
        return checkpointed(block, [hidden, steering.vectors]) {
          let context = EvaluationContext(training: true)
          return $0(
            $1[0], steering: Steering($1[1], context: context), conditioning: conditioning,
            context: context)
        }
      }
    }

    let parts = shared.projected(by: modulation, of: identity).chunks(2, axis: -1)
    let shifted = hidden.layerNormModulated(scale: parts[1], shift: parts[0], epsilon: 1e-6)
    return output(shifted)
      .reshaped(to: [batch, rows, columns, p, p, c.outChannels])
      .permuted([0, 1, 3, 2, 4, 5])
      .reshaped(to: [batch, rows * p, columns * p, c.outChannels])
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("pos_embed.proj") { v throws(V.Failure) in try patch.visit(&v) }
    try v.children("transformer_blocks", &blocks)
    try v.child("proj_out_1", &modulation)
    try v.child("proj_out_2", &output)
  }
}

/// Time and class as one vector, with the SiLU that every modulation begins with.
private struct ConditioningEmbedding: Module {
  private var time: TimeEmbedding, label: Embedding?
  private let nullClass: Int?
  private let identity = LayerIdentity()

  init(_ c: DiTConfiguration, _ initial: inout ParameterInitializer) {
    time = TimeEmbedding(256, c.width, &initial)
    label = c.classes.map { Embedding($0 + 1, c.width, deviation: 0.02, &initial) }
    nullClass = c.classes
  }

  /// - Parameter number: int `[batch]`; nil for the null class.
  func callAsFunction(
    at times: Tensor, label number: Tensor?, _ context: EvaluationContext
  ) -> Steering {
    let asked = Conditioning(label: label == nil ? nil : number)
    return context.steering(of: identity, at: times, given: asked) { times, asked in
      let embedded = time(
        Tensor.sinusoidalEmbedding(
          times: times, dimension: 256, flipSinToCos: true, downscaleFreqShift: 1), in: context)
      guard let label, let nullClass else { return embedded.silu() }
      let count = times.shape[0]
      let number =
        asked.label
        ?? Tensor([Int32](repeating: Int32(nullClass), count: count), shape: [count])
      return (embedded + label(number).cast(to: embedded.dtype)).silu()
    }
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("timestep_embedder", &time)
    guard var table = label.take() else { return }
    defer { label = table }
    try v.scope("class_embedder.embedding_table") { v throws(V.Failure) in try table.visit(&v) }
  }
}

/// One transformer block with adaLN-Zero.
struct DiTBlock: Module {
  fileprivate var embedding: ConditioningEmbedding?
  private var modulation: Linear, attention: Attention, up: Linear, down: Linear
  private var crossNorm: LayerNorm?, cross: Attention?
  private let index: Int, normEpsilon: Double
  private let identity = LayerIdentity()

  fileprivate init(
    _ c: DiTConfiguration, index: Int, _ initial: inout ParameterInitializer
  ) {
    self.index = index
    normEpsilon = c.normEpsilon
    embedding =
      c.sharesConditioning && index > 0 ? nil : ConditioningEmbedding(c, &initial)
    modulation = Linear(c.width, 6 * c.width, zeros: true, &initial)
    attention = Attention(
      c.width, heads: c.heads, headDimension: c.headDimension, bias: c.attentionBias,
      normalizesQueriesAndKeys: c.normalizesQueriesAndKeys, &initial)
    if let features = c.crossAttentionFeatures {
      crossNorm = LayerNorm(c.width, epsilon: 1e-6, &initial)
      cross = Attention(
        c.width, heads: c.heads, headDimension: c.headDimension, contextFeatures: features,
        bias: c.attentionBias, normalizesQueriesAndKeys: c.normalizesQueriesAndKeys,
        zeroOutput: true, &initial)
    }
    up = Linear(c.width, 4 * c.width, &initial)
    down = Linear(4 * c.width, c.width, &initial)
  }

  /// Time and label, of the block's own embedding.
  fileprivate func steering(
    at time: Tensor, label: Tensor?, _ context: EvaluationContext
  ) -> Steering {
    guard let embedding else { trap("DiT block \(index) shares the first block's embedding") }
    return embedding(at: time, label: label, context)
  }

  /// `[batch, tokens, width]` to the same shape.
  fileprivate func callAsFunction(
    _ x: Tensor, steering: Steering, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let m = steering.projected(by: modulation, of: identity).chunks(6, axis: -1)
    let attended = attention(
      x.layerNormModulated(scale: m[1], shift: m[0], epsilon: 1e-6), block: index, context: context)
    var hidden = addGated(x, attended, gate: m[2])
    if let cross, let crossNorm, let tokens = conditioning.tokens {
      hidden = cross(
        crossNorm(hidden), encoder: tokens, mask: conditioning.mask, adding: hidden, block: index,
        context: context)
    }
    let normed = hidden.layerNormModulated(scale: m[4], shift: m[3], epsilon: normEpsilon)
    return addGated(hidden, down(up(normed, activation: .geluTanh)), gate: m[5])
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("norm1") { v throws(V.Failure) in
      try v.child("emb", &embedding)
      try v.child("linear", &modulation)
    }
    try v.child("attn1", &attention)
    try v.child("norm2", &crossNorm)
    try v.child("attn2", &cross)
    try v.scope("ff.net.0.proj") { v throws(V.Failure) in try up.visit(&v) }
    try v.scope("ff.net.2") { v throws(V.Failure) in try down.visit(&v) }
  }
}
