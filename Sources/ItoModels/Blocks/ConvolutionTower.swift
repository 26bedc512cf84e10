public import ItoModules
public import ItoTensors

/// A small residual convolutional network over pictures, one level for each width, each half the size of
/// the one before: what judges see with.
///
/// - Shapes: `[batch, height, width, inChannels]` in −1…1 to `[batch, h, w, channels]` at every level.
/// - Source: residual blocks after He et al. 2016, arXiv:1603.05027 (norm and activation first).
public struct ConvolutionTower: Module {
  /// Channels of the pictures, and of each level.
  public let inChannels: Int, channels: [Int]
  private var convIn: Conv2D, stages: [Stage], normOut: GroupNorm

  /// A tower with one level for each of `channels`, multiples of 8, and `layersPerBlock` residual blocks
  /// in each.
  public init(
    inChannels: Int, channels: [Int], layersPerBlock: Int, _ initial: inout ParameterInitializer
  ) {
    self.inChannels = inChannels
    self.channels = channels
    convIn = Conv2D(inChannels, channels[0], kernel: 3, &initial)
    stages = channels.indices.map { level in
      Stage(
        from: channels[max(0, level - 1)], to: channels[level], halves: level > 0,
        layers: layersPerBlock, &initial)
    }
    normOut = GroupNorm(groups: 8, channels: channels[channels.count - 1], &initial)
  }

  /// The mean over pixels of the last level's normalised activations, `[batch, channels.last]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var h = convIn(x)
    for stage in stages { h = stage(h) }
    return normOut(h, activation: .silu).mean(axes: [1, 2])
  }

  /// What every level puts out, from the finest to the coarsest.
  public func levels(_ x: Tensor) -> [Tensor] {
    var h = convIn(x)
    return stages.map { stage in
      h = stage(h)
      return h
    }
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.children("stages", &stages)
    try v.child("norm_out", &normOut)
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
