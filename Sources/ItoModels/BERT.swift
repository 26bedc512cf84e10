public import ItoCheckpoints
public import ItoComponents
import ItoDiffusion
public import ItoModules
public import ItoTensors

/// The text encoder BERT and its small relatives such as MiniLM: attention in both directions, norms after
/// each sum.
///
/// Parameters are keyed like transformers' `BertModel`, so published weights load unchanged; the pooler,
/// which sentence encoders do not use, is left out.
///
/// - Shapes: token numbers `[batch, tokens]` and a mask bool `[batch, tokens]` to hidden states
///   `[batch, tokens, features]`.
/// - Source: Devlin et al. 2018, *BERT*, arXiv:1810.04805.
public struct BERT: Module {
  /// The `_class_name` of its configuration.
  public static let className = "BertModel"

  /// What published files hold besides: the pooler, and positions as numbers.
  public static let unusedKeys = UnusedKeys.allow {
    $0.hasPrefix("pooler.") || $0.hasSuffix("position_ids")
  }

  /// The path of the table of words, which may have a narrower type than the rest.
  public static let wordTable = "embeddings.word_embeddings.weight"

  /// Features of a token.
  public let features: Int
  /// Entries of the vocabulary.
  public let vocabularySize: Int
  /// The most tokens there are positions for.
  public let maximumTokens: Int
  private var words: Embedding, positions: Embedding, types: Embedding, norm: LayerNorm
  private var layers: [BERTLayer]

  /// Reads a `BertModel` configuration; a setting not implemented is an error.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    c.ignore(
      "architectures", "attention_probs_dropout_prob", "hidden_dropout_prob", "classifier_dropout",
      "gradient_checkpointing", "initializer_range", "model_type", "pad_token_id", "use_cache",
      "transformers_version", "id2label", "label2id", "chunk_size_feed_forward", "return_dict",
      "tie_word_embeddings", "torch_dtype", "dtype")
    let features = try c.int("hidden_size", default: 768)
    let heads = try c.int("num_attention_heads", default: 12)
    let inner = try c.int("intermediate_size", default: 3072)
    let count = try c.int("num_hidden_layers", default: 12)
    let epsilon = try c.double("layer_norm_eps", default: 1e-12)
    vocabularySize = try c.int("vocab_size", default: 30522)
    maximumTokens = try c.int("max_position_embeddings", default: 512)
    let typeCount = try c.int("type_vocab_size", default: 2)
    _ = try c.choice("hidden_act", of: ["gelu"], default: "gelu")
    _ = try c.choice("position_embedding_type", of: ["absolute"], default: "absolute")
    try c.finish()
    guard features % heads == 0 else {
      throw .invalid(
        model: Self.className, key: "num_attention_heads", value: "\(heads)",
        expected: "a divisor of hidden_size (\(features))")
    }
    self.features = features
    words = Embedding(vocabularySize, features, deviation: 0.02, &initial)
    positions = Embedding(maximumTokens, features, deviation: 0.02, &initial)
    types = Embedding(typeCount, features, deviation: 0.02, &initial)
    norm = LayerNorm(features, epsilon: epsilon, &initial)
    layers = (0..<count).map { _ in
      BERTLayer(features, heads: heads, inner: inner, epsilon: epsilon, &initial)
    }
  }

  /// The last hidden states.
  ///
  /// - Parameters:
  ///   - tokens: integers `[batch, tokens]`.
  ///   - mask: bool `[batch, tokens]`, false for padding; nil when there is none.
  public func callAsFunction(_ tokens: Tensor, mask: Tensor? = nil) -> Tensor {
    let (batch, count) = (tokens.shape[0], tokens.shape[1])
    require(count <= maximumTokens, "BERT: \(count) tokens, positions for \(maximumTokens)")
    let place = Tensor((0..<count).map { Int32($0) }, shape: [count])
    let fixed = positions(place) + types(Tensor([Int32](repeating: 0, count: 1), shape: [1]))
    var hidden = norm(
      words(tokens).cast(to: fixed.dtype) + fixed.reshaped(to: [1, count, features]))
    let context = EvaluationContext()
    for (index, layer) in layers.enumerated() {
      hidden = layer(hidden, mask: mask, index: index, context: context)
    }
    require(hidden.shape == [batch, count, features], "BERT: \(hidden.shape)")
    return hidden
  }

  /// The mean of the hidden states that count, scaled to length 1: what sentence encoders compare.
  ///
  /// - Shapes: `[batch, tokens, features]` and bool `[batch, tokens]` to `[batch, features]`.
  /// - Source: Reimers & Gurevych 2019, *Sentence-BERT*, arXiv:1908.10084, section 3 (MEAN).
  public static func pooled(_ hidden: Tensor, mask: Tensor) -> Tensor {
    let weights = mask.cast(to: .float32).reshaped(to: [mask.shape[0], mask.shape[1], 1])
    let sum = (hidden * weights).sum(axes: [1])
    // The length of the sum and that of the mean have the same direction.
    return sum / (sum.squared().sum(axes: [1], keepingAxes: true) + 1e-24).sqrt()
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("embeddings") { v throws(V.Failure) in
      try v.child("word_embeddings", &words)
      try v.child("position_embeddings", &positions)
      try v.child("token_type_embeddings", &types)
      try v.child("LayerNorm", &norm)
    }
    try v.children("encoder.layer", &layers)
  }
}

/// Attention and a feed-forward layer, each with a norm after its sum.
private struct BERTLayer: Module {
  var query: Linear, key: Linear, value: Linear, output: Linear, attentionNorm: LayerNorm
  var up: Linear, down: Linear, outputNorm: LayerNorm
  let heads: Int

  init(
    _ features: Int, heads: Int, inner: Int, epsilon: Double, _ initial: inout ParameterInitializer
  ) {
    query = Linear(features, features, &initial)
    key = Linear(features, features, &initial)
    value = Linear(features, features, &initial)
    output = Linear(features, features, &initial)
    attentionNorm = LayerNorm(features, epsilon: epsilon, &initial)
    up = Linear(features, inner, &initial)
    down = Linear(inner, features, &initial)
    outputNorm = LayerNorm(features, epsilon: epsilon, &initial)
    self.heads = heads
  }

  func callAsFunction(
    _ x: Tensor, mask: Tensor?, index: Int, context: EvaluationContext
  ) -> Tensor {
    func split(_ t: Tensor) -> Tensor {
      t.reshaped(to: [t.shape[0], t.shape[1], heads, t.shape[2] / heads])
    }
    let attended = context.attend(
      query: split(query(x)), key: split(key(x)), value: split(value(x)), mask: mask, block: index)
    let hidden = attentionNorm(x + output(attended.reshaped(to: x.shape)))
    return outputNorm(down(up(hidden, activation: .gelu), adding: hidden))
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("attention.self") { v throws(V.Failure) in
      try v.child("query", &query)
      try v.child("key", &key)
      try v.child("value", &value)
    }
    try v.scope("attention.output") { v throws(V.Failure) in
      try v.child("dense", &output)
      try v.child("LayerNorm", &attentionNorm)
    }
    try v.scope("intermediate") { v throws(V.Failure) in try v.child("dense", &up) }
    try v.scope("output") { v throws(V.Failure) in
      try v.child("dense", &down)
      try v.child("LayerNorm", &outputNorm)
    }
  }
}
