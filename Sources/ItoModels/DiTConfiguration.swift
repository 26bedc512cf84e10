public import ItoComponents

/// The shape of a `DiT`, keyed like the `config.json` of diffusers' `DiTTransformer2DModel`.
///
/// Three keys are Itô's own: `cross_attention_dim` (attention to conditioning tokens of that width in
/// every block), `qk_norm` (`"rms_norm"`), and `shares_conditioning` (one embedding of time and label
/// for all blocks, stored with the first, where diffusers keeps one a block).
public struct DiTConfiguration: Sendable, Hashable {
  /// Height and width it was made for; the position table is scaled to others.
  public var sampleSize = 32
  /// Side of a patch in pixels.
  public var patchSize = 2
  /// Channels in and out.
  public var inChannels = 4, outChannels: Int
  /// Blocks, heads of attention and width of a head.
  public var layers = 28, heads = 16, headDimension = 72
  /// Classes without the null class of guidance, which is one more.
  public var classes: Int? = 1000
  /// Epsilon of the norm before the feed-forward layer.
  public var normEpsilon = 1e-5
  /// Biases in the attention projections.
  public var attentionBias = true
  /// Width of the conditioning tokens; nil for none.
  public var crossAttentionFeatures: Int?
  /// RMS norms on queries and keys.
  public var normalizesQueriesAndKeys = false
  /// One conditioning embedding for all blocks.
  public var sharesConditioning = false

  /// Features of a token.
  public var width: Int { heads * headDimension }

  /// Reads a `DiTTransformer2DModel` configuration; a setting not implemented is an error.
  public init(_ json: JSONValue) throws(ModelError) {
    let model = "DiTTransformer2DModel"
    var c = try ModelConfiguration(json, model: model)
    // Scores and softmax are float32 in every attention kernel, so upcasting is always on.
    c.ignore("dropout", "norm_num_groups", "upcast_attention", "use_linear_projection")
    sampleSize = try c.int("sample_size", default: 32)
    patchSize = try c.int("patch_size", default: 2)
    inChannels = try c.int("in_channels", default: 4)
    outChannels = try c.int("out_channels", default: inChannels)
    layers = try c.int("num_layers", default: 28)
    heads = try c.int("num_attention_heads", default: 16)
    headDimension = try c.int("attention_head_dim", default: 72)
    classes = try c.optionalInt("num_embeds_ada_norm")
    normEpsilon = try c.double("norm_eps", default: 1e-5)
    attentionBias = try c.bool("attention_bias", default: true)
    crossAttentionFeatures = try c.optionalInt("cross_attention_dim")
    normalizesQueriesAndKeys =
      try c.choice("qk_norm", of: ["none", "rms_norm"], default: "none") == "rms_norm"
    sharesConditioning = try c.bool("shares_conditioning", default: false)
    _ = try c.choice("norm_type", of: ["ada_norm_zero"], default: "ada_norm_zero")
    _ = try c.choice("activation_fn", of: ["gelu-approximate"], default: "gelu-approximate")
    if try c.bool("norm_elementwise_affine", default: false) {
      throw .unsupported(model: model, key: "norm_elementwise_affine", value: "true")
    }
    // Published files are of the class that once served all transformers, and have its settings.
    for key in ["only_cross_attention", "double_self_attention"] {
      if try c.bool(key, default: false) {
        throw .unsupported(model: model, key: key, value: "true")
      }
    }
    if let words = try c.optionalInt("num_vector_embeds") {
      throw .unsupported(model: model, key: "num_vector_embeds", value: "\(words)")
    }
    try c.finish()
    guard width % 4 == 0 else {
      throw .invalid(
        model: model, key: "attention_head_dim", value: "\(headDimension)",
        expected: "such that heads times head width is a multiple of 4")
    }
    guard sampleSize >= patchSize else {
      throw .invalid(
        model: model, key: "patch_size", value: "\(patchSize)",
        expected: "at most sample_size (\(sampleSize))")
    }
  }
}
