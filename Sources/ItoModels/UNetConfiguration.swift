public import ItoComponents

/// The shape of a `UNet`, keyed like the `config.json` of diffusers' `UNet2DModel`.
public struct UNetConfiguration: Sendable, Hashable {
  /// Height and width it was made for, nil when not recorded. It runs at any size.
  public var sampleSize: Int?
  /// Channels in and out.
  public var inChannels = 3, outChannels = 3
  /// Channels of each level, finest first.
  public var blockOutChannels: [Int]
  /// Residual blocks a level on the way down; one more on the way up.
  public var layersPerBlock = 2
  /// Which levels have attention after each residual block, finest first, down and up.
  public var downAttention: [Bool], upAttention: [Bool]
  /// Which level changes are residual blocks instead of convolutions.
  public var downResidual: [Bool], upResidual: [Bool]
  /// Attention between the two middle blocks.
  public var middleAttention = true
  /// Width of an attention head; nil is one head.
  public var attentionHeadDimension: Int?
  /// Groups of every group norm, and its epsilon.
  public var normGroups = 32, normEpsilon = 1e-5
  /// Groups of the middle attention's norm; nil for none.
  public var middleAttentionGroups: Int?
  /// The time embedding scales and shifts after the norm instead of being added before it.
  public var scalesAndShifts = false
  /// Classes; nil for an unconditional network.
  public var classes: Int?
  /// Divides the sums of the middle blocks.
  public var middleScale = 1.0
  /// Padding of down-sampling convolutions, 1 or 0 (below and right only).
  public var downsamplePadding = 1
  /// Order and frequencies of the sinusoidal time embedding.
  public var flipsSineToCosine = true, frequencyShift = 0.0
  /// Maps the input from 0…1 to −1…1.
  public var centersInput = false

  /// Reads a `UNet2DModel` configuration; a setting this network does not implement is an error.
  public init(_ json: JSONValue) throws(ModelError) {
    let model = "UNet2DModel"
    var c = try ModelConfiguration(json, model: model)
    c.ignore("dropout", "num_train_timesteps")
    sampleSize = try c.optionalInt("sample_size")
    inChannels = try c.int("in_channels", default: 3)
    outChannels = try c.int("out_channels", default: 3)
    blockOutChannels = try c.ints("block_out_channels")
    let levels = blockOutChannels.count
    layersPerBlock = try c.int("layers_per_block", default: 2)
    let down = try c.choices(
      "down_block_types",
      of: ["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"], count: levels)
    let up = try c.choices(
      "up_block_types", of: ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"], count: levels)
    downAttention = down.map { $0 == "AttnDownBlock2D" }
    upAttention = up.reversed().map { $0 == "AttnUpBlock2D" }
    _ = try c.choice("mid_block_type", of: ["UNetMidBlock2D"], default: "UNetMidBlock2D")
    let downType = try c.choice("downsample_type", of: ["conv", "resnet"], default: "conv")
    let upType = try c.choice("upsample_type", of: ["conv", "resnet"], default: "conv")
    downResidual = down.map {
      $0 == "ResnetDownsampleBlock2D" || ($0 == "AttnDownBlock2D" && downType == "resnet")
    }
    upResidual = up.reversed().map {
      $0 == "ResnetUpsampleBlock2D" || ($0 == "AttnUpBlock2D" && upType == "resnet")
    }
    middleAttention = try c.bool("add_attention", default: true)
    attentionHeadDimension = try c.optionalInt("attention_head_dim")
    normGroups = try c.int("norm_num_groups", default: 32)
    normEpsilon = try c.double("norm_eps", default: 1e-5)
    scalesAndShifts =
      try c.choice(
        "resnet_time_scale_shift", of: ["default", "scale_shift"], default: "default")
      == "scale_shift"
    middleAttentionGroups =
      try c.optionalInt("attn_norm_num_groups") ?? (scalesAndShifts ? nil : normGroups)
    classes = try c.optionalInt("num_class_embeds")
    middleScale = try c.double("mid_block_scale_factor", default: 1)
    downsamplePadding = try c.int("downsample_padding", default: 1, minimum: 0)
    flipsSineToCosine = try c.bool("flip_sin_to_cos", default: true)
    frequencyShift = try c.double("freq_shift", default: 0)
    centersInput = try c.bool("center_input_sample", default: false)
    _ = try c.choice("time_embedding_type", of: ["positional"], default: "positional")
    _ = try c.choice("act_fn", of: ["silu"], default: "silu")
    try c.finish()
    try check(model)
  }

  /// Sizes must divide as group norm and attention heads need.
  private func check(_ model: String) throws(ModelError) {
    for channels in blockOutChannels where channels % normGroups != 0 {
      throw .invalid(
        model: model, key: "block_out_channels", value: "\(blockOutChannels)",
        expected: "multiples of norm_num_groups (\(normGroups))")
    }
    for (level, channels) in blockOutChannels.enumerated() {
      let attends =
        downAttention[level] || upAttention[level]
        || (middleAttention && level == blockOutChannels.count - 1)
      if attends, let width = attentionHeadDimension, channels % width != 0 {
        throw .invalid(
          model: model, key: "attention_head_dim", value: "\(width)",
          expected: "a divisor of the channels of every level with attention (\(channels))")
      }
    }
    if let groups = middleAttentionGroups, (blockOutChannels.last ?? groups) % groups != 0 {
      throw .invalid(
        model: model, key: "attn_norm_num_groups", value: "\(groups)",
        expected: "a divisor of the last of block_out_channels")
    }
    if downsamplePadding > 1 {
      throw .unsupported(model: model, key: "downsample_padding", value: "\(downsamplePadding)")
    }
  }
}
