public import ItoComponents
public import ItoModules
public import ItoTensors

/// Small pictures made large: a learned correction of smooth enlargement.
///
/// Residual blocks at the small size, whose last layer gives every pixel of each block, added to the
/// bilinear enlargement.
///
/// - Shapes: `[batch, height, width, channels]` to `[batch, factor·height, factor·width, channels]`.
/// - Cost: about `2 · parameters` operations a pixel of the small picture.
/// - Source: Lim et al. 2017, *Enhanced Deep Residual Networks for Single Image Super-Resolution*,
///   arXiv:1707.02921 (blocks without norms); Shi et al. 2016, arXiv:1609.05158 (shuffled pixels).
public struct Enlarger: Module {
  /// The `_class_name` of its configuration.
  public static let className = "ItoEnlarger"

  /// Channels of the pictures.
  public let inChannels: Int
  /// How many times larger each side becomes.
  public let factor: Int
  private var convIn: Conv2D, blocks: [Block], convOut: Conv2D

  /// Reads `in_channels` (3), `factor` (4), `block_channels` (64) and `num_blocks` (4).
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    inChannels = try c.int("in_channels", default: 3)
    factor = try c.int("factor", default: 4)
    let channels = try c.int("block_channels", default: 64)
    let count = try c.int("num_blocks", default: 4)
    try c.finish()
    guard factor <= 16 else {
      throw .invalid(
        model: Self.className, key: "factor", value: "\(factor)", expected: "at most 16")
    }
    convIn = Conv2D(inChannels, channels, kernel: 3, &initial)
    blocks = (0..<count).map { _ in Block(channels, &initial) }
    convOut = Conv2D(channels, inChannels * factor * factor, kernel: 3, zeros: true, &initial)
  }

  /// The large picture; see the type for shapes.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var h = convIn(x)
    for block in blocks { h = block(h) }
    let detail = convOut(h).depthToSpace(size: factor, order: .blockMajor)
    return detail
      + x.resizedBilinear(height: factor * x.shape[1], width: factor * x.shape[2]).cast(
        to: detail.dtype)
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.children("blocks", &blocks)
    try v.child("conv_out", &convOut)
  }

  private struct Block: Module {
    var conv1: Conv2D, conv2: Conv2D

    init(_ channels: Int, _ initial: inout ParameterInitializer) {
      conv1 = Conv2D(channels, channels, kernel: 3, &initial)
      conv2 = Conv2D(channels, channels, kernel: 3, &initial)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      conv2(conv1(x, activation: .silu), adding: x)
    }

    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.child("conv1", &conv1)
      try v.child("conv2", &conv2)
    }
  }
}
