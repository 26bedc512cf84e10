public import ItoComponents

/// The shape of a `UNet2DCondition`, keyed like the `config.json` of diffusers' `UNet2DConditionModel`.
public struct UNet2DConditionConfiguration: Sendable, Hashable {
  /// How a class enters the time embedding.
  public enum ClassEmbedding: Sendable, Hashable {
    /// Not at all.
    case none
    /// A table of so many rows, looked up by the label.
    case table(Int)
    /// The label as a time, sinusoidally embedded, through two linear layers of its own.
    case timestep
    /// A vector of the time embedding's width as it is.
    case identity
    /// A vector of so many features through two linear layers.
    case projection(Int)
    /// A vector of so many features through one linear layer.
    case simpleProjection(Int)
  }

  /// SDXL's addition to the time embedding: sizes, sinusoidally embedded in so many features each, beside
  /// the pooled prompt, of so many features together.
  public struct Sizes: Sendable, Hashable {
    /// Features of one number.
    public var features: Int
    /// Features of all numbers and the pooled prompt.
    public var inputs: Int
  }

  /// Height and width it was made for, nil when not recorded. It runs at any size.
  public var sampleSize: Int?
  /// Channels in and out.
  public var inChannels = 4, outChannels = 4
  /// Channels of each level, finest first.
  public var blockOutChannels = [320, 640, 1280, 1280]
  /// Residual blocks on the way down at each level; one more on the way up.
  public var layersPerBlock = [2, 2, 2, 2]
  /// Transformer blocks after each residual block of each level, nil for none: finest level first, on
  /// the way down and up.
  public var downTransformers: [[Int]?], upTransformers: [[Int]?]
  /// Transformer blocks in the middle, nil for a residual block alone.
  public var middleTransformers: Int?
  /// Whether there is a middle.
  public var hasMiddle = true
  /// Which level changes are residual blocks instead of convolutions.
  public var downResidual: [Bool], upResidual: [Bool]
  /// Heads of attention at each level. (The key is `attention_head_dim`, a misnomer kept by diffusers.)
  public var heads: [Int]
  /// Features of a prompt's tokens at each level.
  public var contextFeatures: [Int]
  /// Levels whose self-attention is to the prompt too.
  public var attendsToPromptOnly: [Bool]
  /// Transformers project by linear layers instead of 1×1 convolutions.
  public var projectsLinearly = false
  /// Groups of every group norm, and the epsilon of those outside transformers.
  public var normGroups = 32, normEpsilon = 1e-5
  /// The time embedding scales and shifts after the norm instead of being added before it.
  public var scalesAndShifts = false
  /// Divides the sums of the middle's residual blocks, and of those that change size.
  public var middleScale = 1.0, residualScale = 1.0
  /// Padding of down-sampling convolutions, 1 or 0 (below and right only).
  public var downsamplePadding = 1
  /// Sides of the first and last convolution's kernels.
  public var convInKernel = 3, convOutKernel = 3
  /// Features of the time embedding.
  public var timeFeatures: Int
  /// Order and frequencies of the sinusoidal embeddings.
  public var flipsSineToCosine = true, frequencyShift = 0.0
  /// Features of the guidance embedding of a guidance-distilled network.
  public var guidanceFeatures: Int?
  /// How a class enters.
  public var classEmbedding = ClassEmbedding.none
  /// The class's embedding stands beside the time's instead of being added.
  public var concatenatesClass = false
  /// Sizes and pooled prompt.
  public var sizes: Sizes?
  /// Maps the input from 0…1 to −1…1.
  public var centersInput = false

  /// Features that residual blocks get.
  var blockTimeFeatures: Int { concatenatesClass ? 2 * timeFeatures : timeFeatures }

  /// Reads a `UNet2DConditionModel` configuration; a setting this network does not implement is an error.
  public init(_ json: JSONValue) throws(ModelError) {
    var c = try ModelConfiguration(json, model: "UNet2DConditionModel")
    // Scores and softmax are float32 in every attention kernel, so upcasting is always on. What
    // concerns only options that are refused when set needs no look.
    c.ignore("dropout", "upcast_attention", "addition_embed_type_num_heads")
    sampleSize = try c.size("sample_size")
    inChannels = try c.int("in_channels", default: 4)
    outChannels = try c.int("out_channels", default: 4)
    if c.json("block_out_channels") != nil { blockOutChannels = try c.ints("block_out_channels") }
    let count = blockOutChannels.count
    layersPerBlock = try c.intPerLevel("layers_per_block", count: count, default: 2)
    heads = try c.intPerLevel("attention_head_dim", count: count, default: 8)
    contextFeatures = try c.intPerLevel("cross_attention_dim", count: count, default: 1280)
    attendsToPromptOnly = try c.perLevel(
      "only_cross_attention", count: count, default: false, "true or false"
    ) { $0.bool }
    let types = try c.levelTypes(count)
    downResidual = types.down.map { $0 == "ResnetDownsampleBlock2D" }
    upResidual = types.up.map { $0 == "ResnetUpsampleBlock2D" }
    let layers = try c.transformerLayers(layersPerBlock)
    downTransformers = zip(types.down, layers.down).map { $0 == "CrossAttnDownBlock2D" ? $1 : nil }
    upTransformers = zip(types.up, layers.up).map { $0 == "CrossAttnUpBlock2D" ? $1 : nil }
    middleTransformers = layers.middle
    projectsLinearly = try c.bool("use_linear_projection", default: false)
    normGroups = try c.int("norm_num_groups", default: 32)
    normEpsilon = try c.double("norm_eps", default: 1e-5)
    scalesAndShifts =
      try c.choice(
        "resnet_time_scale_shift", of: ["default", "scale_shift"], default: "default")
      == "scale_shift"
    middleScale = try c.double("mid_block_scale_factor", default: 1)
    residualScale = try c.double("resnet_out_scale_factor", default: 1)
    downsamplePadding = try c.int("downsample_padding", default: 1, minimum: 0)
    convInKernel = try c.int("conv_in_kernel", default: 3)
    convOutKernel = try c.int("conv_out_kernel", default: 3)
    timeFeatures = try c.int("time_embedding_dim", default: 4 * blockOutChannels[0])
    flipsSineToCosine = try c.bool("flip_sin_to_cos", default: true)
    frequencyShift = try c.double("freq_shift", default: 0)
    guidanceFeatures = try c.optionalInt("time_cond_proj_dim")
    centersInput = try c.bool("center_input_sample", default: false)
    concatenatesClass = try c.bool("class_embeddings_concat", default: false)
    classEmbedding = try c.classEmbedding()
    sizes = try c.sizes()
    hasMiddle = try c.hasMiddle(&middleTransformers)
    _ = try c.choice("time_embedding_type", of: ["positional"], default: "positional")
    _ = try c.choice("act_fn", of: ["silu", "swish"], default: "silu")
    _ = try c.choice("attention_type", of: ["default"], default: "default")
    try c.finish()
    try c.limit("block_out_channels", blockOutChannels, to: 1 << 14)
    try c.limit("block_out_channels", [count], to: 16)
    try c.limit("layers_per_block", layersPerBlock, to: 64)
    try c.limit("in_channels", [inChannels, outChannels], to: 1 << 14)
    try c.limit("cross_attention_dim", contextFeatures, to: 1 << 16)
    try c.limit("time_embedding_dim", [timeFeatures, guidanceFeatures ?? 1], to: 1 << 16)
    try c.limit("conv_in_kernel", [convInKernel, convOutKernel], to: 31)
    try check()
  }

  /// Sizes must divide as group norm and attention heads need.
  private func check() throws(ModelError) {
    let model = "UNet2DConditionModel"
    for (level, channels) in blockOutChannels.enumerated() {
      guard channels % normGroups == 0 else {
        throw .invalid(
          model: model, key: "block_out_channels", value: "\(blockOutChannels)",
          expected: "multiples of norm_num_groups (\(normGroups))")
      }
      let attends =
        downTransformers[level] != nil || upTransformers[level] != nil
        || (middleTransformers != nil && level == blockOutChannels.count - 1)
      guard !attends || channels % heads[level] == 0 else {
        throw .invalid(
          model: model, key: "attention_head_dim", value: "\(heads[level])",
          expected: "a divisor of the level's channels (\(channels)): it counts heads")
      }
    }
    guard downsamplePadding <= 1 else {
      throw .unsupported(model: model, key: "downsample_padding", value: "\(downsamplePadding)")
    }
    guard convInKernel % 2 == 1, convOutKernel % 2 == 1 else {
      throw .unsupported(model: model, key: "conv_in_kernel or conv_out_kernel", value: "even")
    }
    if concatenatesClass, classEmbedding == .none {
      throw .invalid(
        model: model, key: "class_embeddings_concat", value: "true", expected: "used with a class")
    }
  }
}
