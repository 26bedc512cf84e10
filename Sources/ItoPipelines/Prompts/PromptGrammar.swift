public import ItoComponents
public import ItoTensors

/// A piece of a prompt.
public enum PromptPart: Sendable, Hashable {
  /// Words and how much they count: 1 is as written.
  case text(String, weight: Double)
  /// What follows begins a new chunk.
  case chunkBreak
}

/// What becomes of the rest of a text that is longer than the encoder reads at once.
public enum PromptOverflow: String, Sendable, Hashable, CaseIterable {
  /// Encoded in further chunks, which are joined: nothing is lost.
  case chunks
  /// Cut off, as diffusers does.
  case truncated
}

/// A way to write prompts: what is words and what is markup, and what weights do.
public protocol PromptGrammar: Sendable {
  /// The parts of `text`. No text is an error.
  func parts(of text: String) -> [PromptPart]

  /// Whether a chunk that is full ends at the last comma rather than inside a phrase.
  var endsChunksAtCommas: Bool { get }

  /// Whether leaving out layers of the text encoder concerns what is asked against as well; diffusers
  /// encodes that at full depth.
  var skipsLayersOfNegative: Bool { get }

  /// Embeddings that count by `weights`.
  ///
  /// - Parameters:
  ///   - embeddings: of one chunk, `[1, tokens, features]` float32.
  ///   - weights: one for each token; not all are 1.
  ///   - empty: the embeddings of the empty prompt, of the same shape.
  func weighted(_ embeddings: Tensor, by weights: [Float], empty: () -> Tensor) -> Tensor
}

/// The prompt as it is: every character counts as written, as diffusers reads prompts.
public struct LiteralPrompts: PromptGrammar, Configurable {
  /// Its name in the registry.
  public static let name = "literal"
  /// One line for tables.
  public static let summary = "every character as written"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The whole text.
  public func parts(of text: String) -> [PromptPart] { [.text(text, weight: 1)] }
  /// False: chunks are full.
  public var endsChunksAtCommas: Bool { false }
  /// False, as in diffusers.
  public var skipsLayersOfNegative: Bool { false }
  /// The embeddings: nothing has another weight than 1.
  public func weighted(
    _ embeddings: Tensor, by weights: [Float], empty: () -> Tensor
  ) -> Tensor { embeddings }
}
