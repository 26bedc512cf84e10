public import ItoComponents
public import ItoModules
public import ItoTensors

/// A small residual convolutional classifier of pictures: the judge of generated ones.
///
/// - Shapes: `[batch, height, width, inChannels]` in −1…1 to features `[batch, channels.last]` and logits
///   `[batch, classes]`.
/// - Source: residual blocks after He et al. 2016, arXiv:1603.05027 (norm and activation first).
public struct ImageClassifier: Module {
  /// The `_class_name` of its configuration.
  public static let className = "ItoImageClassifier"

  /// Channels of the pictures, of each level, and classes.
  public let inChannels: Int, channels: [Int], layersPerBlock: Int, classes: Int
  /// Edge of the blocks of pixels that are taken together first.
  public let patchSize: Int
  private var tower: ConvolutionTower, head: Linear

  /// Reads `in_channels`, `patch_size`, `block_out_channels`, `layers_per_block`, `num_classes`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    c.ignore("sample_size")
    let inChannels = try c.int("in_channels", default: 1)
    let patchSize = try c.int("patch_size", default: 1)
    let channels = try c.ints("block_out_channels")
    let layers = try c.int("layers_per_block", default: 1)
    let classes = try c.int("num_classes", minimum: 2)
    try c.finish()
    if let odd = channels.first(where: { $0 % 8 != 0 }) {
      throw .invalid(
        model: Self.className, key: "block_out_channels", value: "\(odd)",
        expected: "multiples of 8")
    }
    self.init(
      inChannels: inChannels, patchSize: patchSize, channels: channels, layersPerBlock: layers,
      classes: classes, &initial)
  }

  /// A classifier with one level for each of `channels`, each half the size of the one before.
  public init(
    inChannels: Int, patchSize: Int = 1, channels: [Int], layersPerBlock: Int, classes: Int,
    _ initial: inout ParameterInitializer
  ) {
    self.inChannels = inChannels
    self.patchSize = patchSize
    self.channels = channels
    self.layersPerBlock = layersPerBlock
    self.classes = classes
    tower = ConvolutionTower(
      inChannels: inChannels * patchSize * patchSize, channels: channels,
      layersPerBlock: layersPerBlock, &initial)
    head = Linear(channels[channels.count - 1], classes, &initial)
  }

  /// What the last layer sees: the mean over pixels of the last level's normalised activations.
  public func features(_ x: Tensor) -> Tensor { tower(patched(x)) }

  /// What every level puts out, from the finest to the coarsest.
  public func levels(_ x: Tensor) -> [Tensor] { tower.levels(patched(x)) }

  /// Unnormalised log-probabilities of the classes.
  public func logits(features: Tensor) -> Tensor { head(features) }

  /// Unnormalised log-probabilities of the classes.
  public func callAsFunction(_ x: Tensor) -> Tensor { logits(features: features(x)) }

  private func patched(_ x: Tensor) -> Tensor {
    patchSize == 1 ? x : x.spaceToDepth(size: patchSize)
  }

  /// Visits its parameters; those of the tower under their own names.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try tower.visit(&v)
    try v.child("head", &head)
  }
}
