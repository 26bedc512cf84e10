public import ItoComponents

/// The shape of an `AutoencoderKL`, keyed like the `config.json` of diffusers' class of that name.
public struct AutoencoderKLConfiguration: Sendable, Hashable {
  /// Channels of pictures going in and coming out.
  public var inChannels = 3, outChannels = 3
  /// Channels of a latent.
  public var latentChannels = 4
  /// Channels of each level, finest first; every level but the last halves the size.
  public var blockOutChannels = [64]
  /// Residual blocks a level of the encoder; one more in the decoder.
  public var layersPerBlock = 1
  /// Groups of the group norms.
  public var normGroups = 32
  /// 1×1 convolutions between the encoder or the decoder and the latent.
  public var hasQuantConv = true, hasPostQuantConv = true
  /// Attention in the middle.
  public var middleAttention = true
  /// What a network denoises is `(latent − shiftFactor) · scalingFactor`.
  public var scalingFactor = 0.18215, shiftFactor = 0.0
  /// Mean and standard deviation of each latent channel, for networks that denoise
  /// `(latent − mean) · scalingFactor / deviation` instead.
  public var latentMean: [Double]?, latentDeviation: [Double]?
  /// Height and width it was trained on, if recorded.
  public var sampleSize: Int?

  /// Pictures' pixels for each pixel of a latent, along one side.
  public var factor: Int { 1 << (blockOutChannels.count - 1) }

  /// Reads an `AutoencoderKL` configuration; a setting not implemented is an error.
  public init(_ json: JSONValue) throws(ModelError) {
    var c = try ModelConfiguration(json, model: AutoencoderKL.className)
    // Norms and softmax are computed in float32 whatever the weights are.
    c.ignore("force_upcast")
    inChannels = try c.int("in_channels", default: 3)
    outChannels = try c.int("out_channels", default: 3)
    latentChannels = try c.int("latent_channels", default: 4)
    if c.json("block_out_channels") != nil { blockOutChannels = try c.ints("block_out_channels") }
    let count = blockOutChannels.count
    if c.json("down_block_types") != nil || count > 1 {
      _ = try c.choices("down_block_types", of: ["DownEncoderBlock2D"], count: count)
      _ = try c.choices("up_block_types", of: ["UpDecoderBlock2D"], count: count)
    }
    c.ignore("up_block_types")
    layersPerBlock = try c.int("layers_per_block", default: 1)
    normGroups = try c.int("norm_num_groups", default: 32)
    sampleSize = try c.size("sample_size")
    hasQuantConv = try c.bool("use_quant_conv", default: true)
    hasPostQuantConv = try c.bool("use_post_quant_conv", default: true)
    middleAttention = try c.bool("mid_block_add_attention", default: true)
    scalingFactor = try c.double("scaling_factor", default: 0.18215)
    shiftFactor = try c.double("shift_factor", default: 0)
    latentMean = try c.perChannel("latents_mean", count: latentChannels)
    latentDeviation = try c.perChannel("latents_std", count: latentChannels)
    _ = try c.choice("act_fn", of: ["silu", "swish"], default: "silu")
    try c.finish()
    try c.limit("block_out_channels", blockOutChannels, to: 1 << 14)
    try c.limit("layers_per_block", [layersPerBlock], to: 64)
    try c.limit("latent_channels", [latentChannels, inChannels, outChannels], to: 1 << 12)
    for channels in blockOutChannels where channels % normGroups != 0 {
      throw c.wrong("block_out_channels", "multiples of norm_num_groups (\(normGroups))")
    }
    guard count <= 8, scalingFactor != 0, latentDeviation?.contains(0) != true else {
      throw c.wrong("scaling_factor", "other than 0, for at most 8 levels")
    }
  }
}

extension ModelConfiguration {
  /// A number for each of `count` channels, nil when absent or null.
  fileprivate mutating func perChannel(
    _ key: String, count: Int
  ) throws(ModelError) -> [Double]? {
    guard let found = json(key) else { return nil }
    let numbers = found.array?.prefix(count).compactMap(\.double).filter(\.isFinite) ?? []
    guard numbers.count == count, found.array?.count == count else {
      throw wrong(key, "a list of \(count) numbers")
    }
    return numbers
  }
}
