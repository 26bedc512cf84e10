public import ItoComponents
public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// The U-Net that denoises pixels or latents, without or with a class label.
///
/// Parameters are keyed like diffusers' `UNet2DModel`, so its published weights load unchanged.
///
/// - Shapes: `x` `[batch, height, width, inChannels]`, `time` `[batch]` (the embedding's unit, steps of
///   a thousand), label int `[batch]`, result `[batch, height, width, outChannels]`.
/// - Cache sites: `.subtree(level:)`, everything below a level.
/// - Source: Ho et al. 2020, arXiv:2006.11239; Dhariwal & Nichol 2021, arXiv:2105.05233.
public struct UNet: RegisteredBackbone {
  /// The `_class_name` of its configuration.
  public static let className = "UNet2DModel"

  /// Its shape.
  public let configuration: UNetConfiguration
  private var timeEmbedding: TimeEmbedding, classEmbedding: Embedding?
  private var convIn: Conv2D, levels: [Level], middle: MiddleBlock
  private var normOut: GroupNorm, convOut: Conv2D

  /// Made from options.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try UNetConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: UNetConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    let first = c.blockOutChannels[0], timeFeatures = 4 * first
    timeEmbedding = TimeEmbedding(first, timeFeatures, &initial)
    classEmbedding = c.classes.map { Embedding($0, timeFeatures, deviation: 0.02, &initial) }
    convIn = Conv2D(c.inChannels, first, kernel: 3, &initial)
    levels = c.blockOutChannels.indices.map { Level(c, $0, timeFeatures, &initial) }
    middle = MiddleBlock(c, timeFeatures, &initial)
    normOut = GroupNorm(
      groups: c.normGroups, channels: first, epsilon: c.normEpsilon, &initial)
    convOut = Conv2D(first, c.outChannels, kernel: 3, zeros: true, &initial)
  }

  /// Channels of the noisy input.
  public var inputChannels: Int { configuration.inChannels }
  /// Channels of the result.
  public var outputChannels: Int { configuration.outChannels }
  /// Classes a label may name, the null class included.
  public var classCount: Int? { configuration.classes }
  /// Height and width it was made for.
  public var sampleSize: Int? { configuration.sampleSize }

  /// The raw output; see the type for shapes.
  public func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let c = configuration
    var embedded = timeEmbedding(
      Tensor.sinusoidalEmbedding(
        times: time, dimension: c.blockOutChannels[0], flipSinToCos: c.flipsSineToCosine,
        downscaleFreqShift: c.frequencyShift))
    if let classEmbedding {
      guard let label = conditioning.label else {
        trap("this UNet wants a class label (\(c.classes ?? 0) classes)")
      }
      embedded = embedded + classEmbedding(label).cast(to: embedded.dtype)
    }
    let time = embedded.silu()
    let entry = convIn(c.centersInput ? 2 * x - 1 : x)
    return convOut(normOut(descend(0, entry, time, context), activation: .silu))
  }

  /// The part at `level` and below: down, everything deeper, up.
  private func descend(
    _ level: Int, _ x: Tensor, _ time: Tensor, _ context: EvaluationContext
  ) -> Tensor {
    let part = levels[level]
    var skips = [x]
    for i in part.down.indices {
      skips.append(part.downLayer(i, skips[i], time, block: level, context))
    }
    let last = skips[skips.count - 1]
    var h: Tensor
    if let downsampler = part.downsampler {
      h = context.run(.subtree(level: level + 1), on: last) { inner in
        let below = descend(level + 1, downsampler(inner, time: time), time, context)
        guard let upsampler = levels[level + 1].upsampler else { return below }
        return upsampler(below, time: time, size: (inner.shape[1], inner.shape[2]))
      }
    } else {
      h = middle(last, time, block: levels.count, context)
    }
    for i in part.up.indices {
      h = part.upLayer(
        i, Tensor.concatenated([h, skips.removeLast()], axis: -1), time, block: level, context)
    }
    return h
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("time_embedding", &timeEmbedding)
    try v.child("class_embedding", &classEmbedding)
    try v.child("conv_in", &convIn)
    for i in levels.indices {
      try v.scope("down_blocks.\(i)") { v throws(V.Failure) in try levels[i].visitDown(&v) }
    }
    try v.child("mid_block", &middle)
    for i in levels.indices.reversed() {
      try v.scope("up_blocks.\(levels.count - 1 - i)") { v throws(V.Failure) in
        try levels[i].visitUp(&v)
      }
    }
    try v.child("conv_norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}

/// One resolution of the network, on the way down and on the way up.
private struct Level: Sendable {
  var down: [ResidualBlock] = [], downAttention: [ImageAttention] = []
  var up: [ResidualBlock] = [], upAttention: [ImageAttention] = []
  /// To the next coarser level; nil at the coarsest.
  var downsampler: Resampler?
  /// To the next finer level; nil at the finest.
  var upsampler: Resampler?

  init(
    _ c: UNetConfiguration, _ level: Int, _ timeFeatures: Int, _ initial: inout ParameterInitializer
  ) {
    let widths = c.blockOutChannels
    let width = widths[level], entering = level == 0 ? width : widths[level - 1]
    let deeper = level + 1 < widths.count ? widths[level + 1] : width
    func block(
      _ a: Int, _ b: Int, _ resampling: ResidualBlock.Resampling, _ p: inout ParameterInitializer
    ) -> ResidualBlock {
      ResidualBlock(
        a, b, timeFeatures: timeFeatures, groups: c.normGroups, epsilon: c.normEpsilon,
        mode: c.scalesAndShifts ? .scaleShift : .add, resampling: resampling, &p)
    }
    func attention(_ p: inout ParameterInitializer) -> ImageAttention {
      ImageAttention(
        width, headDimension: c.attentionHeadDimension ?? width, groups: c.normGroups,
        epsilon: c.normEpsilon, &p)
    }
    for i in 0..<c.layersPerBlock {
      down.append(block(i == 0 ? entering : width, width, .none, &initial))
      if c.downAttention[level] { downAttention.append(attention(&initial)) }
    }
    for i in 0...c.layersPerBlock {
      let below = i == 0 ? deeper : width
      let skip = i == c.layersPerBlock ? entering : width
      up.append(block(below + skip, width, .none, &initial))
      if c.upAttention[level] { upAttention.append(attention(&initial)) }
    }
    if level + 1 < widths.count {
      downsampler =
        c.downResidual[level]
        ? .residual(block(width, width, .down, &initial))
        : .convolution(
          up: false, channels: width, padding: c.downsamplePadding, &initial)
    }
    if level > 0 {
      upsampler =
        c.upResidual[level]
        ? .residual(block(width, width, .up, &initial))
        : .convolution(up: true, channels: width, &initial)
    }
  }

  func downLayer(
    _ i: Int, _ x: Tensor, _ time: Tensor, block: Int, _ context: EvaluationContext
  ) -> Tensor {
    let h = down[i](x, time: time)
    return downAttention.isEmpty ? h : downAttention[i](h, block: block, context: context)
  }

  func upLayer(
    _ i: Int, _ x: Tensor, _ time: Tensor, block: Int, _ context: EvaluationContext
  ) -> Tensor {
    let h = up[i](x, time: time)
    return upAttention.isEmpty ? h : upAttention[i](h, block: block, context: context)
  }

  mutating func visitDown<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("resnets", &down)
    try v.children("attentions", &downAttention)
    guard var sampler = downsampler.take() else { return }
    defer { downsampler = sampler }
    try v.scope("downsamplers.0") { v throws(V.Failure) in try sampler.visit(&v) }
  }

  mutating func visitUp<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("resnets", &up)
    try v.children("attentions", &upAttention)
    guard var sampler = upsampler.take() else { return }
    defer { upsampler = sampler }
    try v.scope("upsamplers.0") { v throws(V.Failure) in try sampler.visit(&v) }
  }
}

/// Two residual blocks, with attention between them, at the coarsest resolution.
private struct MiddleBlock: Module {
  var resnets: [ResidualBlock], attentions: [ImageAttention]

  init(_ c: UNetConfiguration, _ timeFeatures: Int, _ initial: inout ParameterInitializer) {
    let width = c.blockOutChannels[c.blockOutChannels.count - 1]
    resnets = (0..<2).map { _ in
      ResidualBlock(
        width, width, timeFeatures: timeFeatures, groups: c.normGroups, epsilon: c.normEpsilon,
        mode: c.scalesAndShifts ? .scaleShift : .add, outputScale: c.middleScale, &initial)
    }
    attentions =
      c.middleAttention
      ? [
        ImageAttention(
          width, headDimension: c.attentionHeadDimension ?? width, groups: c.middleAttentionGroups,
          epsilon: c.normEpsilon, outputScale: c.middleScale, &initial)
      ] : []
  }

  func callAsFunction(
    _ x: Tensor, _ time: Tensor, block: Int, _ context: EvaluationContext
  ) -> Tensor {
    var h = resnets[0](x, time: time)
    for attention in attentions { h = attention(h, block: block, context: context) }
    return resnets[1](h, time: time)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("attentions", &attentions)
    try v.children("resnets", &resnets)
  }
}
