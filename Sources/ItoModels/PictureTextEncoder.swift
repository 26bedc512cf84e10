public import ItoComponents
public import ItoModules
public import ItoTensors

/// Pictures and captions as unit vectors of one space, in which those that belong together are near: a
/// convolutional tower for pictures, and a small network on a frozen text encoder's sentence vectors.
///
/// - Shapes: pictures `[batch, height, width, inChannels]` in −1…1 and sentence vectors
///   `[batch, textFeatures]` to `[batch, features]`, each of length 1.
/// - Source: Radford et al. 2021, *Learning Transferable Visual Models From Natural Language Supervision*,
///   arXiv:2103.00020, section 2.3; the frozen text tower as in Zhai et al. 2022, *LiT*,
///   arXiv:2111.07991, the other way round.
public struct PictureTextEncoder: Module {
  /// The `_class_name` of its configuration.
  public static let className = "ItoPictureTextEncoder"

  /// Channels of pictures, features of sentence vectors, features of the common space.
  public let inChannels: Int, textFeatures: Int, features: Int
  /// Edge of the blocks of pixels that are taken together first.
  public let patchSize: Int
  private var tower: ConvolutionTower, pictureOut: Linear
  private var textNorm: LayerNorm, textIn: Linear, textOut: Linear
  /// Logarithm of what cosines are multiplied by in the loss.
  private var logScale: Tensor

  /// Reads `in_channels`, `patch_size`, `block_out_channels`, `layers_per_block`, `text_features`,
  /// `text_width` and `features`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    c.ignore("sample_size")
    let inChannels = try c.int("in_channels", default: 3)
    let patchSize = try c.int("patch_size", default: 2)
    let channels = try c.ints("block_out_channels")
    let layers = try c.int("layers_per_block", default: 1)
    let textFeatures = try c.int("text_features", default: 384)
    let textWidth = try c.int("text_width", default: 256)
    let features = try c.int("features", default: 128)
    try c.finish()
    if let odd = channels.first(where: { $0 % 8 != 0 }) {
      throw .invalid(
        model: Self.className, key: "block_out_channels", value: "\(odd)",
        expected: "multiples of 8")
    }
    self.init(
      inChannels: inChannels, patchSize: patchSize, channels: channels, layersPerBlock: layers,
      textFeatures: textFeatures, textWidth: textWidth, features: features, &initial)
  }

  /// An encoder of the given sizes.
  public init(
    inChannels: Int = 3, patchSize: Int = 2, channels: [Int], layersPerBlock: Int = 1,
    textFeatures: Int, textWidth: Int, features: Int, _ initial: inout ParameterInitializer
  ) {
    self.inChannels = inChannels
    self.textFeatures = textFeatures
    self.features = features
    self.patchSize = patchSize
    tower = ConvolutionTower(
      inChannels: inChannels * patchSize * patchSize, channels: channels,
      layersPerBlock: layersPerBlock, &initial)
    pictureOut = Linear(channels[channels.count - 1], features, &initial)
    textNorm = LayerNorm(textFeatures, &initial)
    textIn = Linear(textFeatures, textWidth, &initial)
    textOut = Linear(textWidth, features, &initial)
    // 1 / 0.07, where CLIP starts.
    logScale = Tensor([2.6593], shape: [1])
  }

  /// Pictures as unit vectors.
  public func pictures(_ x: Tensor) -> Tensor {
    unit(pictureOut(tower(patchSize == 1 ? x : x.spaceToDepth(size: patchSize))))
  }

  /// Sentence vectors as unit vectors.
  public func texts(_ x: Tensor) -> Tensor { unit(textOut(textIn(textNorm(x)).gelu())) }

  /// What cosines are multiplied by in the loss, at most 100; `[1]`.
  public var scale: Tensor {
    Tensor.minimum(logScale, Tensor([4.6052], shape: [1])).exp()
  }

  private func unit(_ x: Tensor) -> Tensor {
    let exact = x.cast(to: .float32)
    return exact / ((exact * exact).sum(axes: [1], keepingAxes: true) + 1e-12).sqrt()
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("picture", &tower)
    try v.child("picture_out", &pictureOut)
    try v.child("text_norm", &textNorm)
    try v.child("text_in", &textIn)
    try v.child("text_out", &textOut)
    try v.parameter("log_scale", &logScale)
  }
}
