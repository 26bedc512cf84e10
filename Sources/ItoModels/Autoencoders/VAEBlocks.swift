import ItoDiffusion
import ItoModules
import ItoTensors

/// Epsilon of every norm of the autoencoder.
private let normEpsilon = 1e-6

/// Residual blocks at one resolution, then a change of size.
struct VAELevel: Module {
  var blocks: [ResidualBlock]
  var resampler: Resampler?
  private let isUp: Bool

  /// - Parameter changesSize: whether a change of size follows.
  init(
    from inChannels: Int, to channels: Int, layers: Int, groups: Int, isUp: Bool,
    changesSize: Bool, _ initial: inout ParameterInitializer
  ) {
    blocks = (0..<layers).map {
      vaeBlock($0 == 0 ? inChannels : channels, channels, groups: groups, &initial)
    }
    resampler =
      changesSize
      ? .convolution(up: isUp, channels: channels, padding: isUp ? 1 : 0, &initial) : nil
    self.isUp = isUp
  }

  func callAsFunction(_ x: consuming Tensor, savesMemory: Bool) -> Tensor {
    var h = consume x
    for block in blocks { h = block(consume h, time: nil) }
    if let resampler { h = resampler(consume h, time: nil) }
    if savesMemory { releaseSpareMaps(beside: h) }
    return h
  }

  /// The residual blocks alone, in bands.
  func applyBlocks(to source: inout RowSource, in bands: BandedMaps) {
    for block in blocks {
      let map = bands.residual(block, consume source)
      releaseSpareMaps(beside: map)
      source = RowSource(map: map)
    }
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("resnets", &blocks)
    guard var sampler = resampler.take() else { return }
    defer { resampler = sampler }
    try v.scope(isUp ? "upsamplers.0" : "downsamplers.0") { v throws(V.Failure) in
      try sampler.visit(&v)
    }
  }
}

/// Two residual blocks around an attention of one head over all pixels.
struct VAEMiddle: Module {
  private var blocks: [ResidualBlock], attentions: [ImageAttention]

  init(_ channels: Int, groups: Int, attends: Bool, _ initial: inout ParameterInitializer) {
    blocks = (0..<2).map { _ in vaeBlock(channels, channels, groups: groups, &initial) }
    attentions =
      attends
      ? [
        ImageAttention(
          channels, headDimension: channels, groups: groups, epsilon: normEpsilon, block: 0,
          &initial)
      ] : []
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var h = blocks[0](x, time: nil)
    for attention in attentions {
      h = attention(h, conditioning: Conditioning(), context: EvaluationContext())
    }
    return blocks[1](h, time: nil)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.children("attentions", &attentions)
    try v.children("resnets", &blocks)
  }
}

private func vaeBlock(
  _ inChannels: Int, _ outChannels: Int, groups: Int, _ initial: inout ParameterInitializer
) -> ResidualBlock {
  ResidualBlock(
    inChannels, outChannels, timeFeatures: nil, groups: groups, epsilon: normEpsilon, &initial)
}

/// Gives back memory that is kept for maps of sizes that do not come again.
private func releaseSpareMaps(beside map: Tensor) {
  if map.byteCount >= 1 << 23 { Runtime.trim() }
}

/// `body` of every picture of a batch, one after the other, together again as a batch.
private func eachPicture(_ x: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
  if x.shape[0] == 1 { return body(x) }
  return Tensor.concatenated((0..<x.shape[0]).map { body(x.sliced($0..<$0 + 1, axis: 0)) }, axis: 0)
}

/// Pictures to the moments of their latents.
struct VAEEncoder: Module {
  private var convIn: Conv2D, levels: [VAELevel], middle: VAEMiddle
  private var normOut: GroupNorm, convOut: Conv2D

  init(_ c: AutoencoderKLConfiguration, _ initial: inout ParameterInitializer) {
    let widths = c.blockOutChannels, last = widths[widths.count - 1]
    convIn = Conv2D(c.inChannels, widths[0], kernel: 3, &initial)
    levels = widths.indices.map { i in
      VAELevel(
        from: widths[max(0, i - 1)], to: widths[i], layers: c.layersPerBlock,
        groups: c.normGroups, isUp: false, changesSize: i + 1 < widths.count, &initial)
    }
    middle = VAEMiddle(last, groups: c.normGroups, attends: c.middleAttention, &initial)
    normOut = GroupNorm(groups: c.normGroups, channels: last, epsilon: normEpsilon, &initial)
    convOut = Conv2D(last, 2 * c.latentChannels, kernel: 3, &initial)
  }

  /// - Parameters:
  ///   - bandRows: evaluate the levels in bands of so many rows, picture by picture.
  ///   - savesMemory: give the memory of a level's maps back after it.
  func callAsFunction(_ x: Tensor, bandRows: Int?, savesMemory: Bool) -> Tensor {
    var h: Tensor
    if let bandRows {
      h = eachPicture(x) { descend($0, in: BandedMaps(bandRows: bandRows)) }
    } else {
      h = convIn(x)
      for level in levels { h = level(consume h, savesMemory: savesMemory) }
    }
    h = middle(h)
    normOut(inPlace: &h, activation: .silu)
    return convOut(h)
  }

  private func descend(_ x: Tensor, in bands: BandedMaps) -> Tensor {
    var source = RowSource(convIn, of: x)
    for level in levels {
      level.applyBlocks(to: &source, in: bands)
      guard let conv = level.resampler?.convolution else { continue }
      let (full, rows) = (source, source.height / 2)
      source = RowSource(
        map: bands.map(height: rows) { conv.band($0, height: full.height, input: full.rows) })
    }
    return source.rows(0..<source.height)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.children("down_blocks", &levels)
    try v.child("mid_block", &middle)
    try v.child("conv_norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}

/// Latents to pictures.
struct VAEDecoder: Module {
  private var convIn: Conv2D, middle: VAEMiddle
  private var levels: [VAELevel], normOut: GroupNorm, convOut: Conv2D

  init(_ c: AutoencoderKLConfiguration, _ initial: inout ParameterInitializer) {
    let widths = [Int](c.blockOutChannels.reversed())
    convIn = Conv2D(c.latentChannels, widths[0], kernel: 3, &initial)
    middle = VAEMiddle(widths[0], groups: c.normGroups, attends: c.middleAttention, &initial)
    levels = widths.indices.map { i in
      VAELevel(
        from: widths[max(0, i - 1)], to: widths[i], layers: c.layersPerBlock + 1,
        groups: c.normGroups, isUp: true, changesSize: i + 1 < widths.count, &initial)
    }
    let last = widths[widths.count - 1]
    normOut = GroupNorm(groups: c.normGroups, channels: last, epsilon: normEpsilon, &initial)
    convOut = Conv2D(last, c.outChannels, kernel: 3, &initial)
  }

  /// - Parameters:
  ///   - bandRows: evaluate the levels in bands of so many rows, picture by picture.
  ///   - savesMemory: give the memory of a level's maps back after it.
  func callAsFunction(_ z: Tensor, bandRows: Int?, savesMemory: Bool) -> Tensor {
    var h = middle(convIn(z))
    if let bandRows {
      return eachPicture(h) { ascend($0, in: BandedMaps(bandRows: bandRows)) }
    }
    for level in levels { h = level(consume h, savesMemory: savesMemory) }
    normOut(inPlace: &h, activation: .silu)
    return convOut(h)
  }

  private func ascend(_ x: Tensor, in bands: BandedMaps) -> Tensor {
    var source = RowSource(map: x)
    for level in levels {
      level.applyBlocks(to: &source, in: bands)
      guard let conv = level.resampler?.convolution else { continue }
      source = RowSource(conv, ofDoubled: source.rows(0..<source.height))
    }
    return bands.head(normOut, convOut, source)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv_in", &convIn)
    try v.child("mid_block", &middle)
    try v.children("up_blocks", &levels)
    try v.child("conv_norm_out", &normOut)
    try v.child("conv_out", &convOut)
  }
}
