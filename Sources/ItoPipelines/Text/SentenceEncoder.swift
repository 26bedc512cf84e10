import ItoCheckpoints
import ItoComponents
public import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors
import ItoTokenizers

/// Prompts by a sentence encoder of BERT's kind: the last hidden state of every token, and their mean of
/// length 1.
///
/// The folder has `config.json`, `vocab.txt` and `model.safetensors`, as published, or with matrices in
/// 8 bits (see `RowQuantized`).
///
/// - Source: Reimers & Gurevych 2019, *Sentence-BERT*, arXiv:1908.10084.
public struct SentenceEncoder: TextEncoder {
  /// What is known of the weights and of the length of prompts. Reads all weights.
  public var identity: String {
    let sum = network.parameters.reduce(0.0) { $0 + $1.tensor.sumOfSquares }
    return "\(BERT.className) \(maximumTokens) \(tokenizer.vocabulary.count) \(sum)"
  }
  /// The most tokens of a prompt, its marks included; the rest is cut off.
  public let maximumTokens: Int
  private let network: BERT
  private let tokenizer: WordPieceTokenizer

  /// Tokens of a prompt unless its `config.json` says otherwise under `max_prompt_tokens`.
  private static let defaultTokens = 64

  /// The registry's entry.
  public static let family = TextEncoderFamily(className: BERT.className) {
    (folder, json) throws(PipelineError) in try SentenceEncoder(folder: folder, json)
  }

  init(folder: String, _ json: JSONValue) throws(PipelineError) {
    var settings = json.object ?? JSONObject()
    maximumTokens = settings["max_prompt_tokens"]?.int ?? Self.defaultTokens
    settings["max_prompt_tokens"] = nil
    let configuration = JSONValue.object(settings)
    let file = folder + "/model.safetensors"
    let empty = try wrapping(PipelineError.model) { () throws(ModelError) in
      var initial = ParameterInitializer.placeholder
      return try BERT(configuration: configuration, &initial)
    }
    network = try Self.load(empty, file: file)
    // The decoded table of words is large, and nothing to come is of its size.
    Runtime.trim()
    tokenizer = try wrapping(PipelineError.tokenizer) { () throws(TokenizerError) in
      try WordPieceTokenizer(vocabularyFile: folder + "/vocab.txt")
    }
    guard tokenizer.vocabulary.count <= network.vocabularySize,
      (2...network.maximumTokens).contains(maximumTokens)
    else {
      throw .request(
        "\(folder): a vocabulary of \(tokenizer.vocabulary.count) and prompts of \(maximumTokens) "
          + "tokens do not fit a network for \(network.vocabularySize) and \(network.maximumTokens)"
      )
    }
  }

  private static func load(_ empty: BERT, file: String) throws(PipelineError) -> BERT {
    let loaded = try loadWeights(empty, from: file, unused: BERT.unusedKeys)
    let stored = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try SafeTensors(path: file).dtype(of: BERT.wordTable)
    }
    guard stored == .int8 else { return loaded }
    // Half of a small encoder is the table of words, of which a prompt needs a few rows. One of 8 bits
    // loses nothing that counts in half precision: at most 1/2000 where it is off by 1/250 already.
    return loaded.mappingParameters { path, tensor in
      path.description == BERT.wordTable ? tensor.cast(to: .float16) : tensor
    }
  }

  /// Tokens, mask and pooled prompts, padded to the longest.
  public func encode(_ prompts: [String]) throws(PipelineError) -> Conditioning {
    let encoded = prompts.map { tokenizer.encode($0, limit: maximumTokens) }
    let width = encoded.map(\.count).max() ?? 1
    let numbers = encoded.flatMap { $0 + [Int32](repeating: 0, count: width - $0.count) }
    let flags = encoded.flatMap { row in (0..<width).map { $0 < row.count } }
    let shape: Shape = [prompts.count, width]
    let mask = Tensor(flags, shape: shape)
    let hidden = network(Tensor(numbers, shape: shape), mask: mask)
    return Conditioning(tokens: hidden, pooled: BERT.pooled(hidden, mask: mask), mask: mask)
  }

  /// No token to attend to, and zeros.
  public var unconditional: Conditioning {
    Conditioning(
      tokens: Tensor(zeros: [1, 1, network.features]),
      pooled: Tensor(zeros: [1, network.features]), mask: Tensor([false], shape: [1, 1]))
  }
}
