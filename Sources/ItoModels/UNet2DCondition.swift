public import ItoComponents
public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// The U-Net of Stable Diffusion 1, 2 and XL and of what was distilled from them: residual blocks, and
/// transformers that attend to a prompt.
///
/// Parameters are keyed like diffusers' `UNet2DConditionModel`, so its published weights load unchanged.
///
/// - Shapes: `x` `[batch, height, width, inChannels]`, of any size; `time` `[batch]` (steps of a
///   thousand); `Conditioning.tokens` `[batch, tokens, features]`, `pooled` `[batch, features]` and
///   `[ImageSizes.self]` `[batch, numbers]` (SDXL), `[GuidanceEmbedding.self]` `[batch, features]`
///   (guidance-distilled), `label` `[batch]` or `[ClassVector.self]` `[batch, features]`,
///   `[Control.self]`; result `[batch, height, width, outChannels]`.
/// - Cache sites: `.subtree(level:)`, everything below a level; `.attention(block:)`, self-attention of a
///   transformer block.
/// - Source: Rombach et al. 2022, arXiv:2112.10752; Podell et al. 2023, *SDXL*, arXiv:2307.01952, §2.
public struct UNet2DCondition: RegisteredBackbone {
  /// The `_class_name` of its configuration.
  public static let className = "UNet2DConditionModel"

  /// Its shape.
  public let configuration: UNet2DConditionConfiguration
  private var timeEmbedding: TimeEmbedding, classEmbedding: ClassEmbedding?
  private var sizeEmbedding: TimeEmbedding?
  private var convIn: Conv2D, trunk: UNetTrunk<SpatialTransformer>
  private var normOut: GroupNorm, convOut: Conv2D
  private let identity = LayerIdentity()

  /// Made from a `config.json`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try UNet2DConditionConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: UNet2DConditionConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    let first = c.blockOutChannels[0]
    timeEmbedding = TimeEmbedding(
      first, c.timeFeatures, conditionFeatures: c.guidanceFeatures, &initial)
    classEmbedding = ClassEmbedding(c, &initial)
    sizeEmbedding = c.sizes.map { TimeEmbedding($0.inputs, c.timeFeatures, &initial) }
    convIn = Conv2D(c.inChannels, first, kernel: c.convInKernel, &initial)
    var block = 0
    trunk = UNetTrunk(c.plan, &initial) { place, width, initial in
      guard let shape = c.transformer(at: place, channels: width) else { return nil }
      defer { block += shape.layers }
      return SpatialTransformer(shape, block: block, &initial)
    }
    normOut = GroupNorm(groups: c.normGroups, channels: first, epsilon: c.normEpsilon, &initial)
    convOut = Conv2D(first, c.outChannels, kernel: c.convOutKernel, zeros: true, &initial)
  }

  /// Channels of the noisy input.
  public var inputChannels: Int { configuration.inChannels }
  /// Channels of the result.
  public var outputChannels: Int { configuration.outChannels }
  /// Classes a label may name.
  public var classCount: Int? {
    if case .table(let count) = configuration.classEmbedding { count } else { nil }
  }
  /// Height and width it was made for.
  public var sampleSize: Int? { configuration.sampleSize }

  /// The raw output; see the type for shapes.
  public func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let steering = context.steering(of: identity, at: time, given: steered(by: conditioning)) {
      embedded(time: $0, $1, context).silu()
    }
    let entry = convIn(configuration.centersInput ? 2 * x - 1 : x)
    let h = trunk(
      entry, time: steering, conditioning: conditioning, context: context,
      residuals: conditioning[Control.self])
    return convOut(normOut(h, activation: .silu))
  }

  /// What of `conditioning` is told beside the time.
  private func steered(by conditioning: Conditioning) -> Conditioning {
    var told = Conditioning()
    if configuration.guidanceFeatures != nil {
      told[GuidanceEmbedding.self] = conditioning[GuidanceEmbedding.self]
    }
    if let classEmbedding {
      if classEmbedding.readsLabel {
        told.label = conditioning.label
      } else {
        told[ClassVector.self] = conditioning[ClassVector.self]
      }
    }
    if sizeEmbedding != nil {
      told.pooled = conditioning.pooled
      told[ImageSizes.self] = conditioning[ImageSizes.self]
    }
    return told
  }

  /// Time, guidance, class and sizes as one vector a row, `[rows, blockTimeFeatures]`, before the SiLU of the
  /// residual blocks.
  private func embedded(
    time: Tensor, _ conditioning: Conditioning, _ context: EvaluationContext
  ) -> Tensor {
    let c = configuration
    var embedded = timeEmbedding(
      sinusoidal(time, c.blockOutChannels[0]), condition: conditioning[GuidanceEmbedding.self],
      in: context)
    if let classEmbedding {
      let vector = classEmbedding(conditioning, context) { sinusoidal($0, c.blockOutChannels[0]) }
        .cast(to: embedded.dtype)
      embedded =
        c.concatenatesClass
        ? Tensor.concatenated([embedded, vector], axis: -1) : embedded + vector
    }
    guard let sizeEmbedding, let sizes = c.sizes else { return embedded }
    guard let pooled = conditioning.pooled, let numbers = conditioning[ImageSizes.self] else {
      trap("this U-Net wants a pooled prompt and image sizes")
    }
    let batch = numbers.shape[0]
    let flat = sinusoidal(numbers.reshaped(to: [numbers.shape.count]), sizes.features)
      .reshaped(to: [batch, numbers.shape[1] * sizes.features])
    let inputs = Tensor.concatenated([pooled, flat.cast(to: pooled.dtype)], axis: -1)
    require(
      inputs.shape[1] == sizes.inputs,
      "this U-Net wants \(sizes.inputs) features of pooled prompt and sizes, not \(inputs.shape[1])"
    )
    return embedded + sizeEmbedding(inputs, in: context)
  }

  private func sinusoidal(_ times: Tensor, _ features: Int) -> Tensor {
    Tensor.sinusoidalEmbedding(
      times: times.cast(to: .float32), dimension: features,
      flipSinToCos: configuration.flipsSineToCosine,
      downscaleFreqShift: configuration.frequencyShift)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.child("time_embedding", &timeEmbedding)
    try v.child("class_embedding", &classEmbedding)
    try v.child("add_embedding", &sizeEmbedding)
    try trunk.visit(&v)
    try v.child("conv_norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}

/// A class as a vector of the time embedding's width.
private struct ClassEmbedding: Module {
  private var table: Embedding?, layers: TimeEmbedding?, projection: Linear?
  private let readsTime: Bool

  /// Nil when the class has no part.
  init?(_ c: UNet2DConditionConfiguration, _ initial: inout ParameterInitializer) {
    switch c.classEmbedding {
    case .none: return nil
    case .table(let rows): table = Embedding(rows, c.timeFeatures, deviation: 0.02, &initial)
    case .timestep: layers = TimeEmbedding(c.blockOutChannels[0], c.timeFeatures, &initial)
    case .identity: break
    case .projection(let inputs): layers = TimeEmbedding(inputs, c.timeFeatures, &initial)
    case .simpleProjection(let inputs): projection = Linear(inputs, c.timeFeatures, &initial)
    }
    readsTime = c.classEmbedding == .timestep
  }

  /// Whether it reads the label; otherwise it reads the class's vector.
  var readsLabel: Bool { table != nil || readsTime }

  /// `[rows, timeFeatures]`
  func callAsFunction(
    _ conditioning: Conditioning, _ context: EvaluationContext, sinusoidal: (Tensor) -> Tensor
  ) -> Tensor {
    if readsLabel {
      guard let label = conditioning.label else { trap("this U-Net wants a class label") }
      return table?(label) ?? layers?(sinusoidal(label), in: context) ?? label
    }
    guard let vector = conditioning[ClassVector.self] else {
      trap("this U-Net wants a class vector")
    }
    return layers?(vector, in: context) ?? projection?(steering: vector, in: context) ?? vector
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try table?.visit(&v)
    try layers?.visit(&v)
    try projection?.visit(&v)
  }
}

extension UNet2DConditionConfiguration {
  fileprivate var plan: UNetPlan {
    UNetPlan(
      widths: blockOutChannels, layers: layersPerBlock, timeFeatures: blockTimeFeatures,
      groups: normGroups, epsilon: normEpsilon, mode: scalesAndShifts ? .scaleShift : .add,
      downResidual: downResidual, upResidual: upResidual, downsamplePadding: downsamplePadding,
      middleBlocks: !hasMiddle ? 0 : middleTransformers == nil ? 1 : 2, middleScale: middleScale,
      residualScale: residualScale)
  }

  /// The transformer at a place of the network, nil for none.
  fileprivate func transformer(
    at place: UNetPlace, channels: Int
  ) -> SpatialTransformer.Shape? {
    let level: Int, layers: Int?, promptOnly: Bool
    switch place {
    case .down(let at, let layer):
      (level, layers, promptOnly) = (at, downTransformers[at]?[layer], attendsToPromptOnly[at])
    case .up(let at, let layer):
      (level, layers, promptOnly) = (at, upTransformers[at]?[layer], attendsToPromptOnly[at])
    case .middle: (level, layers, promptOnly) = (heads.count - 1, middleTransformers, false)
    }
    return layers.map {
      .init(
        channels: channels, heads: heads[level], layers: $0,
        contextFeatures: contextFeatures[level], groups: normGroups,
        projectsLinearly: projectsLinearly, attendsToPromptOnly: promptOnly)
    }
  }
}
