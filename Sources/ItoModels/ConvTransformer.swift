public import ItoComponents
public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// Convolutions on the fine levels, a transformer on the coarsest: a small text-to-image network for CPUs.
///
/// Levels are changed by moving pixels into channels and a linear layer, so no position is computed and
/// then thrown away. Each convolution level has one residual block down and one up, with a skip; the
/// transformer's blocks attend to themselves and to the prompt's tokens. Time and pooled prompt steer every
/// block: scale and shift after the norms, gates (which start closed) on the transformer's sums.
///
/// - Shapes: `x` `[batch, size, size, inChannels]`, `time` `[batch]` (steps of a thousand), tokens
///   `[batch, tokens, crossAttentionFeatures]` with a mask, pooled `[batch, pooledFeatures]` of length 1,
///   result `[batch, size, size, outChannels]`. Without conditioning it is the unconditional network.
/// - Cache sites: `.subtree(level:)`, everything below a level; `.block(index:count:)`.
/// - Source: a U-Net (Ho et al. 2020, arXiv:2006.11239) whose middle is a DiT (Peebles & Xie 2023,
///   arXiv:2212.09748), as in Hoogeboom et al. 2023, *simple diffusion*, arXiv:2301.11093, section 3.3;
///   shuffled down- and up-sampling: Shi et al. 2016, arXiv:1609.05158.
public struct ConvTransformer: RegisteredBackbone {
  /// The `_class_name` of its configuration.
  public static let className = "ItoConvTransformer2DModel"

  /// Its shape.
  public let configuration: ConvTransformerConfiguration
  private var time: TimeEmbedding, pooled: TimeEmbedding?, tokens: Linear?
  /// One more key that every prompt has, so that there is always something to attend to.
  private var nullToken: Tensor?
  private var convIn: Conv2D, levels: [ConvTransformerLevel], positions: Tensor
  private var blocks: [ConvTransformerBlock], normOut: GroupNorm, convOut: Conv2D
  private let identity = LayerIdentity()

  /// Made from options.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try ConvTransformerConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: ConvTransformerConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    time = TimeEmbedding(c.conditioningFeatures, c.conditioningFeatures, &initial)
    pooled = c.pooledFeatures.map { TimeEmbedding($0, c.conditioningFeatures, &initial) }
    tokens = c.crossAttentionFeatures.map { Linear($0, c.width, &initial) }
    nullToken = c.crossAttentionFeatures.map { _ in
      initial.normal([1, 1, c.width], deviation: 0.02)
    }
    convIn = Conv2D(4 * c.inChannels, c.channels[0], kernel: 3, &initial)
    levels = c.channels.indices.map { ConvTransformerLevel(c, level: $0, &initial) }
    positions = initial.normal([1, c.grid * c.grid, c.width], deviation: 0.02)
    blocks = (0..<c.layers).map { ConvTransformerBlock(c, index: $0, &initial) }
    normOut = GroupNorm(groups: c.normGroups, channels: c.channels[0], &initial)
    convOut = Conv2D(c.channels[0], 4 * c.outChannels, kernel: 3, zeros: true, &initial)
  }

  /// Channels of the noisy input.
  public var inputChannels: Int { configuration.inChannels }
  /// Channels of the result.
  public var outputChannels: Int { configuration.outChannels }
  /// It takes no class label.
  public var classCount: Int? { nil }
  /// All blocks: positions are added before the first.
  public var routableBlocks: Int { configuration.layers }
  /// Height and width it was made for.
  public var sampleSize: Int? { configuration.sampleSize }

  /// The raw output; see the type for shapes.
  public func callAsFunction(
    _ x: Tensor, time t: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let c = configuration
    require(
      x.shape[1] == c.sampleSize && x.shape[2] == c.sampleSize,
      "ConvTransformer: \(x.shape) is not \(c.sampleSize) pixels wide and high")
    let asked = Conditioning(pooled: pooled == nil ? nil : conditioning.pooled)
    let steering = context.steering(of: identity, at: t, given: asked) {
      embedded(time: $0, pooled: $1.pooled, x.dtype, context).silu()
    }
    let prompt = memory(conditioning, batch: x.shape[0], dtype: x.dtype, context)
    let h = convIn(x.spaceToDepth(size: 2, order: .blockMajor))
    let y = descend(0, h, steering: steering, prompt, context)
    return convOut(normOut(y, activation: .silu)).depthToSpace(size: 2, order: .blockMajor)
  }

  /// Time and pooled prompt as one vector a row, `[rows, conditioningFeatures]`.
  private func embedded(
    time t: Tensor, pooled vector: Tensor?, _ dtype: DType, _ context: EvaluationContext
  ) -> Tensor {
    let sines = Tensor.sinusoidalEmbedding(
      times: t, dimension: configuration.conditioningFeatures, flipSinToCos: true,
      downscaleFreqShift: 1)
    let embedded = time(sines.cast(to: dtype), in: context)
    guard let pooled, let vector else { return embedded }
    // Of length 1 for whoever compares prompts; elements of about 1 for the layer.
    let scale = Double(vector.shape[1]).squareRoot()
    return embedded + pooled((scale * vector).cast(to: dtype), in: context)
  }

  /// The prompt as keys and values, and which of them count.
  private func memory(
    _ conditioning: Conditioning, batch: Int, dtype: DType, _ context: EvaluationContext
  ) -> (tokens: Tensor, mask: Tensor?)? {
    guard let tokens, let nullToken else { return nil }
    func null() -> Tensor {
      nullToken.cast(to: dtype).broadcast(to: [batch, 1, configuration.width])
    }
    guard let given = conditioning.tokens else { return (null(), nil) }
    let all = context.constants(of: identity, on: given) {
      [Tensor.concatenated([null(), tokens($0.cast(to: dtype))], axis: 1)]
    }
    let mask = conditioning.mask.map {
      Tensor.concatenated(
        [Tensor([Bool](repeating: true, count: batch), shape: [batch, 1]), $0], axis: 1)
    }
    return (all[0], mask)
  }

  /// A level's way down, all that lies below, and its way up.
  private func descend(
    _ level: Int, _ x: Tensor, steering: Steering, _ prompt: (tokens: Tensor, mask: Tensor?)?,
    _ context: EvaluationContext
  ) -> Tensor {
    let own = levels[level]
    let skip = own.before(x, time: steering)
    let below = context.run(.subtree(level: level + 1), on: skip) { skip in
      let deeper = own.down(skip.spaceToDepth(size: 2, order: .blockMajor))
      let result =
        level + 1 < levels.count
        ? descend(level + 1, deeper, steering: steering, prompt, context)
        : transform(deeper, steering: steering, prompt, context)
      return own.up(result).depthToSpace(size: 2, order: .blockMajor)
    }
    return own.after(JoinedChannels([below, skip]), time: steering)
  }

  private func transform(
    _ x: Tensor, steering: Steering, _ prompt: (tokens: Tensor, mask: Tensor?)?,
    _ context: EvaluationContext
  ) -> Tensor {
    let flat = x.reshaped(to: [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]])
    var hidden = flat + positions.cast(to: x.dtype)
    for (index, block) in blocks.enumerated() {
      hidden = context.run(.block(index: index, count: blocks.count), on: hidden) {
        block($0, steering: steering, prompt, context: context)
      }
    }
    return hidden.reshaped(to: x.shape)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("time_embedding", &time)
    try v.child("pooled_embedding", &pooled)
    try v.child("token_projection", &tokens)
    try v.parameter("null_token", &nullToken)
    try v.child("conv_in", &convIn)
    try v.children("levels", &levels)
    try v.parameter("positions", &positions)
    try v.children("blocks", &blocks)
    try v.child("norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}
