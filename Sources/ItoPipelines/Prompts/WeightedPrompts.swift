public import ItoComponents
public import ItoTensors

/// Prompts as stable-diffusion-webui reads them: `(more:1.3)`, `[less]`, `BREAK`; see `AttentionMarkup`.
///
/// A token's embedding is multiplied by its weight; afterwards the chunk is scaled so that the mean of
/// all its numbers is what it was.
/// - Source: the "Attention/emphasis" section of the wiki of stable-diffusion-webui.
public struct WeightedPrompts: PromptGrammar, Configurable {
  /// Its name in the registry.
  public static let name = "a1111"
  /// What other tools call it.
  public static let aliases = ["webui", "forge", "weighted"]
  /// One line for tables.
  public static let summary = "(more:1.3), [less], BREAK; as stable-diffusion-webui"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The parts with their weights.
  public func parts(of text: String) -> [PromptPart] { AttentionMarkup.parts(of: text) }
  /// True: phrases stay together.
  public var endsChunksAtCommas: Bool { true }
  /// True.
  public var skipsLayersOfNegative: Bool { true }

  /// Embeddings times weights, at the mean they had.
  public func weighted(
    _ embeddings: Tensor, by weights: [Float], empty: () -> Tensor
  ) -> Tensor {
    let scaled = embeddings * Tensor(weights, shape: [1, weights.count, 1])
    let before = embeddings.mean().item, after = scaled.mean().item
    return after == 0
      ? scaled : Tensor.linearCombination([(Double(before) / Double(after), scaled)])
  }
}

/// The same markup with the weights of ComfyUI: a token's embedding moves away from the embedding that
/// the empty prompt has in its place, `empty + weight·(embedding − empty)`.
/// - Source: the documentation of ComfyUI's `CLIPTextEncode`.
public struct InterpolatedPrompts: PromptGrammar, Configurable {
  /// Its name in the registry.
  public static let name = "comfy"
  /// What other tools call it.
  public static let aliases = ["comfyui"]
  /// One line for tables.
  public static let summary = "(more:1.3), (less:0.8), BREAK; weighted as in ComfyUI"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The parts with their weights. Square brackets are text.
  public func parts(of text: String) -> [PromptPart] {
    let escaped = text.reduce(into: "") { $0 += "[]".contains($1) ? "\\\($1)" : "\($1)" }
    return AttentionMarkup.parts(of: escaped)
  }
  /// False: chunks are full.
  public var endsChunksAtCommas: Bool { false }
  /// True.
  public var skipsLayersOfNegative: Bool { true }

  /// Embeddings moved away from or towards the empty prompt's.
  public func weighted(
    _ embeddings: Tensor, by weights: [Float], empty: () -> Tensor
  ) -> Tensor {
    let base = empty()
    return base + (embeddings - base) * Tensor(weights, shape: [1, weights.count, 1])
  }
}
