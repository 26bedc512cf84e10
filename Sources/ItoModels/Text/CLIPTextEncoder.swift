public import ItoCheckpoints
public import ItoComponents
public import ItoDiffusion
public import ItoModules
public import ItoTensors

/// What a `CLIPTextEncoder` makes of texts.
public struct CLIPTextOutput: Sendable {
  /// Features of every token at the layer asked for, `[batch, tokens, width]`.
  public var hidden: Tensor
  /// The text as one vector: the last layer's features at the end mark, normalised, `[batch, width]`.
  public var pooled: Tensor
  /// `pooled`, projected into the space shared with pictures, `[batch, projection]`; nil for a network
  /// without projection.
  public var projected: Tensor?
}

/// CLIP's text transformer: CLIP-L (quick GELU), OpenCLIP's H and bigG (GELU, projection), and others of
/// that form.
///
/// Parameters are keyed like transformers' `CLIPTextModel` and `CLIPTextModelWithProjection` as published;
/// `keyMap(for:)` finds files without the prefix `text_model.` too.
///
/// - Source: Radford et al. 2021, *Learning Transferable Visual Models From Natural Language
///   Supervision*, arXiv:2103.00020, §2.4.
public struct CLIPTextEncoder: Module {
  /// The class name of a network without projection.
  public static let className = "CLIPTextModel"
  /// The class name of a network with projection.
  public static let projectedClassName = "CLIPTextModelWithProjection"

  /// Its shape.
  public let configuration: CLIPTextConfiguration
  private var tokens: Embedding, positions: Embedding
  private var layers: [CLIPLayer], finalNorm: LayerNorm, projection: Linear?

  /// Made from a `config.json`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try CLIPTextConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: CLIPTextConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    tokens = Embedding(c.vocabulary, c.width, deviation: 0.02, &initial)
    positions = Embedding(c.positions, c.width, deviation: 0.01, &initial)
    layers = (0..<c.layers).map { _ in
      CLIPLayer(
        width: c.width, feedForward: c.feedForward, heads: c.heads, activation: c.activation,
        epsilon: c.normEpsilon, isCausal: true, &initial)
    }
    finalNorm = LayerNorm(c.width, epsilon: c.normEpsilon, &initial)
    projection = c.projection.map { Linear(c.width, $0, bias: false, &initial) }
  }

  /// Encodes texts of at most `configuration.positions` tokens.
  ///
  /// - Parameters:
  ///   - ids: int32 or int64 `[batch, tokens]`, marks included, below the size of the vocabulary.
  ///   - skip: how many of the last layers `hidden` leaves out: 0 is the last layer, 1 the penultimate
  ///     (SDXL), at most the number of layers, which is the embeddings. What other programs call clip
  ///     skip n is n − 1 here.
  ///   - normalised: apply the final layer norm to `hidden`: Stable Diffusion 1 and 2 do, whatever the
  ///     layer; SDXL does not.
  public func callAsFunction(
    ids: Tensor, skip: Int = 0, normalised: Bool = true,
    context: EvaluationContext = EvaluationContext()
  ) -> CLIPTextOutput {
    let c = configuration
    require(
      ids.shape.rank == 2 && ids.shape[1] <= c.positions && (0...c.layers).contains(skip),
      "CLIP text encoder: ids \(ids.shape), at most \(c.positions) tokens; layer \(skip) from the end"
        + " of \(c.layers)")
    var hidden = tokens(ids) + positions.weight.sliced(0..<ids.shape[1], axis: 0)
    var chosen = hidden
    for (i, layer) in layers.enumerated() {
      hidden = layer(hidden, block: i, context: context)
      if i + 1 == c.layers - skip { chosen = hidden }
    }
    let last = finalNorm(hidden)
    let pooled = summary(of: last, ids: ids)
    return CLIPTextOutput(
      hidden: !normalised ? chosen : skip == 0 ? last : finalNorm(chosen), pooled: pooled,
      projected: projection?(pooled))
  }

  /// The features at the end mark of each text.
  private func summary(of hidden: Tensor, ids: Tensor) -> Tensor {
    let (batch, length, width) = (hidden.shape[0], hidden.shape[1], hidden.shape[2])
    let numbers = ids.integers
    let places = (0..<batch).map { row in
      let text = numbers[row * length..<(row + 1) * length]
      let end =
        configuration.endToken.map { text.firstIndex(of: $0) ?? text.startIndex }
        ?? text.firstIndex(of: text.max() ?? 0) ?? text.startIndex
      return Int32(end)
    }
    return hidden.reshaped(to: [batch * length, width])
      .indexSelected(Tensor(places, shape: [batch]))
  }

  /// Embeddings of the tokens, `[vocabulary, width]`, to be extended by textual inversion.
  public var tokenEmbeddings: Tensor {
    get { tokens.weight.cast(to: tokens.vectorType ?? tokens.weight.dtype) }
    set { tokens.weight = newValue }
  }

  /// Where a file with these keys has the parameters: as published, or, as newer versions of
  /// transformers write them, without `text_model.`.
  public static func keyMap(for keys: Set<String>) -> KeyMap {
    let prefix = "text_model."
    if keys.contains(where: { $0.hasPrefix(prefix) }) { return .identity }
    return KeyMap { path in
      let key = path.description
      return .whole(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : key)
    }
  }

  /// Whether a tensor of a published file is no parameter: the numbers 0, 1, 2… that older versions of
  /// transformers saved.
  public static func isIgnored(_ key: String) -> Bool {
    key.hasSuffix("embeddings.position_ids")
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("text_model") { v throws(V.Failure) in
      try v.scope("embeddings") { v throws(V.Failure) in
        try v.child("token_embedding", &tokens)
        try v.child("position_embedding", &positions)
      }
      try v.scope("encoder") { v throws(V.Failure) in try v.children("layers", &layers) }
      try v.child("final_layer_norm", &finalNorm)
    }
    try v.child("text_projection", &projection)
  }
}
