public import ItoComponents
public import ItoTensors

/// The shape of a `CLIPTextEncoder`, keyed like the `config.json` of transformers' `CLIPTextModel` and
/// `CLIPTextModelWithProjection`.
public struct CLIPTextConfiguration: Sendable, Hashable {
  /// Entries of the vocabulary.
  public var vocabulary = 49408
  /// Features of a token, inside the feed-forward layers too.
  public var width = 512, feedForward = 2048
  /// Blocks, and heads of attention in each.
  public var layers = 12, heads = 8
  /// The longest text in tokens, marks included.
  public var positions = 77
  /// The non-linearity: quick GELU in CLIP-L, GELU in OpenCLIP's.
  public var activation = Activation.quickGELU
  /// Epsilon of the layer norms.
  public var normEpsilon = 1e-5
  /// The mark whose first place is the text's summary; nil where that is the largest number's, as in
  /// configurations that say 2, which was wrong but is what these networks are used with.
  public var endToken: Int? = 49407
  /// Features of the projected summary; nil for a network without.
  public var projection: Int?

  /// CLIP-L's shape but for the width, as transformers' defaults.
  public init() {}

  /// Reads a configuration of either class, which it names by `_class_name` or `architectures`, or of a
  /// whole CLIP whose `text_config` it is.
  ///
  /// Settings of training and of generation, of which transformers writes dozens, are passed over.
  public init(_ json: JSONValue) throws(ModelError) {
    let name = json["_class_name"]?.string ?? json["architectures"]?[0]?.string
    let model = name ?? CLIPTextEncoder.className
    var c = try ModelConfiguration(json["text_config"] ?? json, model: model)
    vocabulary = try c.int("vocab_size", default: 49408)
    width = try c.int("hidden_size", default: 512)
    feedForward = try c.int("intermediate_size", default: 2048)
    layers = try c.int("num_hidden_layers", default: 12)
    heads = try c.int("num_attention_heads", default: 8)
    positions = try c.int("max_position_embeddings", default: 77)
    normEpsilon = try c.double("layer_norm_eps", default: 1e-5)
    let act = try c.choice(
      "hidden_act", of: ["quick_gelu", "gelu", "gelu_pytorch_tanh"], default: "quick_gelu")
    activation = act == "gelu_pytorch_tanh" ? .geluTanh : Activation(rawValue: act) ?? .gelu
    let end = try c.int("eos_token_id", default: 49407, minimum: 0)
    endToken = end == 2 ? nil : end
    if model == CLIPTextEncoder.projectedClassName {
      projection = try c.int("projection_dim", default: 512)
    }
    try c.limit("vocab_size", [vocabulary], to: 1 << 20)
    try c.limit("hidden_size", [width, feedForward, projection ?? 1], to: 1 << 16)
    try c.limit("num_hidden_layers", [layers], to: 1 << 10)
    try c.limit("max_position_embeddings", [positions], to: 1 << 16)
    guard width % heads == 0 else {
      throw c.wrong("num_attention_heads", "a divisor of hidden_size (\(width))")
    }
  }
}
