public import ItoTensors

/// Embeddings learned for a word of one's own, one or more vectors for each text encoder.
///
/// Read are the files of diffusers (`{"<cat>": vector}`), of A1111 as `.pt` (`string_to_param`) and as
/// safetensors (`emb_params`), and those for two encoders (`clip_l`, `clip_g`).
///
/// - Source: Gal et al. 2022, *An Image is Worth One Word*, arXiv:2208.01618.
public struct TextualInversion: Sendable {
  /// The word that stands for them: the file's own, else its name without ending.
  public let word: String
  /// `[vectors, width]` as float32 by text encoder: `text_encoder`, `text_encoder_2`.
  public let vectors: [String: Tensor]

  /// Opens the file at `path`.
  public init(path: String) throws(CheckpointError) {
    try self.init(try Checkpoint.open(path))
  }

  /// Reads embeddings from `source`.
  ///
  /// - Throws: `unsupported` when it holds none; `nonFinite` when one has NaN or infinities.
  public init(_ source: any TensorSource) throws(CheckpointError) {
    let keys = source.keys
    let places: [String: String]
    var word = source.metadata["name"]
    if let key = keys.first(where: { $0.hasPrefix("string_to_param.") }) {
      places = ["text_encoder": key]
    } else if keys.contains("emb_params") {
      places = ["text_encoder": "emb_params"]
    } else if keys.contains("clip_l") || keys.contains("clip_g") {
      let names = ["text_encoder": "clip_l", "text_encoder_2": "clip_g"]
      places = names.filter { keys.contains($0.value) }
    } else if keys.count == 1, let key = keys.first {
      places = ["text_encoder": key]
      word = key
    } else {
      places = [:]
    }
    var vectors: [String: Tensor] = [:]
    for (encoder, key) in places {
      let tensor = try source.tensor(key)
      guard tensor.dtype.isFloatingPoint, (1...2).contains(tensor.shape.rank),
        tensor.shape.count > 0, tensor.shape.rank == 1 || tensor.shape[0] <= 75
      else { continue }
      if let place = tensor.nonFinitePlace {
        throw .nonFinite(["\(key) at \(place)"], file: source.origin)
      }
      let rows = tensor.shape.rank == 1 ? [1, tensor.shape[0]] : tensor.shape.dims
      vectors[encoder] = tensor.cast(to: .float32).reshaped(to: rows)
    }
    guard !vectors.isEmpty else {
      throw .unsupported(
        file: source.origin,
        reason: "it is no textual inversion: it has no embedding of a word (up to 75 vectors)")
    }
    self.vectors = vectors
    let file = source.origin.split(separator: "/").last ?? "embedding"
    self.word = word ?? String(file.split(separator: ".").first ?? file)
  }
}
