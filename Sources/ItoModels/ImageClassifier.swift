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
  private var convIn: Conv2D, stages: [Stage], normOut: GroupNorm, head: Linear

  /// Reads `in_channels`, `block_out_channels`, `layers_per_block`, `num_classes`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    c.ignore("sample_size")
    let inChannels = try c.int("in_channels", default: 1)
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
      inChannels: inChannels, channels: channels, layersPerBlock: layers, classes: classes, &initial
    )
  }

  /// A classifier with one level for each of `channels`, each half the size of the one before.
  public init(
    inChannels: Int, channels: [Int], layersPerBlock: Int, classes: Int,
    _ initial: inout ParameterInitializer
  ) {
    self.inChannels = inChannels
    self.channels = channels
    self.layersPerBlock = layersPerBlock
    self.classes = classes
    convIn = Conv2D(inChannels, channels[0], kernel: 3, &initial)
    stages = channels.indices.map { level in
      Stage(
        from: channels[max(0, level - 1)], to: channels[level], halves: level > 0,
        layers: layersPerBlock, &initial)
    }
    let last = channels[channels.count - 1]
    normOut = GroupNorm(groups: 8, channels: last, &initial)
    head = Linear(last, classes, &initial)
  }

  /// What the last layer sees: the mean over pixels of the last level's normalised activations.
  public func features(_ x: Tensor) -> Tensor {
    var h = convIn(x)
    for stage in stages { h = stage(h) }
    return normOut(h, activation: .silu).mean(axes: [1, 2])
  }

  /// Unnormalised log-probabilities of the classes.
  public func logits(features: Tensor) -> Tensor { head(features) }

  /// Unnormalised log-probabilities of the classes.
  public func callAsFunction(_ x: Tensor) -> Tensor { logits(features: features(x)) }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.children("stages", &stages)
    try v.child("norm_out", &normOut)
    try v.child("head", &head)
  }

  private struct Stage: Module {
    var down: Conv2D?, blocks: [Block]

    init(from: Int, to: Int, halves: Bool, layers: Int, _ initial: inout ParameterInitializer) {
      down = halves ? Conv2D(from, to, kernel: 3, stride: 2, padding: 1, &initial) : nil
      blocks = (0..<layers).map { _ in Block(to, &initial) }
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      blocks.reduce(down.map { $0(x) } ?? x) { $1($0) }
    }

    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.child("down", &down)
      try v.children("blocks", &blocks)
    }
  }

  private struct Block: Module {
    var norm1: GroupNorm, conv1: Conv2D, norm2: GroupNorm, conv2: Conv2D

    init(_ channels: Int, _ initial: inout ParameterInitializer) {
      norm1 = GroupNorm(groups: 8, channels: channels, &initial)
      conv1 = Conv2D(channels, channels, kernel: 3, &initial)
      norm2 = GroupNorm(groups: 8, channels: channels, &initial)
      conv2 = Conv2D(channels, channels, kernel: 3, zeros: true, &initial)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      x + conv2(norm2(conv1(norm1(x, activation: .silu)), activation: .silu))
    }

    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.child("norm1", &norm1)
      try v.child("conv1", &conv1)
      try v.child("norm2", &norm2)
      try v.child("conv2", &conv2)
    }
  }
}
