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
  private var convIn: Conv2D, trunk: UNetTrunk<ImageAttention>
  private var normOut: GroupNorm, convOut: Conv2D
  private let identity = LayerIdentity()

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
    var block = -1
    trunk = UNetTrunk(c.plan, &initial) { place, width, initial in
      guard c.attends(at: place) else { return nil }
      block += 1
      let isMiddle = if case .middle = place { true } else { false }
      return ImageAttention(
        width, headDimension: c.attentionHeadDimension ?? width,
        groups: isMiddle ? c.middleAttentionGroups : c.normGroups, epsilon: c.normEpsilon,
        outputScale: isMiddle ? c.middleScale : 1, block: block, &initial)
    }
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
    let asked = Conditioning(label: classEmbedding == nil ? nil : conditioning.label)
    let steering = context.steering(of: identity, at: time, given: asked) {
      embedded(time: $0, label: $1.label, context).silu()
    }
    let entry = convIn(configuration.centersInput ? 2 * x - 1 : x)
    let h = trunk(entry, time: steering, conditioning: conditioning, context: context)
    return convOut(normOut(h, activation: .silu))
  }

  /// Time and class as one vector a row, `[rows, timeFeatures]`.
  private func embedded(
    time: Tensor, label: Tensor?, _ context: EvaluationContext
  ) -> Tensor {
    let c = configuration
    let sines = Tensor.sinusoidalEmbedding(
      times: time, dimension: c.blockOutChannels[0], flipSinToCos: c.flipsSineToCosine,
      downscaleFreqShift: c.frequencyShift)
    let embedded = timeEmbedding(sines, in: context)
    guard let classEmbedding else { return embedded }
    guard let label else { trap("this UNet wants a class label (\(c.classes ?? 0) classes)") }
    return embedded + classEmbedding(label).cast(to: embedded.dtype)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("time_embedding", &timeEmbedding)
    try v.child("class_embedding", &classEmbedding)
    try v.child("conv_in", &convIn)
    try trunk.visit(&v)
    try v.child("conv_norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}

extension UNetConfiguration {
  fileprivate var plan: UNetPlan {
    UNetPlan(
      widths: blockOutChannels,
      layers: blockOutChannels.map { _ in layersPerBlock }, timeFeatures: 4 * blockOutChannels[0],
      groups: normGroups, epsilon: normEpsilon, mode: scalesAndShifts ? .scaleShift : .add,
      downResidual: downResidual, upResidual: upResidual, downsamplePadding: downsamplePadding,
      middleBlocks: 2, middleScale: middleScale)
  }

  fileprivate func attends(at place: UNetPlace) -> Bool {
    switch place {
    case .down(let level, _): downAttention[level]
    case .up(let level, _): upAttention[level]
    case .middle: middleAttention
    }
  }
}
