import ItoComponents
import ItoDiffusion
import ItoPipelines
import ItoTraining

/// The text side of a training run: the encoder, and the captions it has encoded.
struct PromptedTraining {
  let text: Recipe.Text
  let isQuiet: Bool
  private let encoder: any TextEncoder

  init(_ text: Recipe.Text, isQuiet: Bool) throws {
    self.text = text
    self.isQuiet = isQuiet
    encoder = try TextEncoderFamily.load(folder: text.encoder)
  }

  /// What a network is told of `prompts`.
  func encode(_ prompts: [String]) throws -> Conditioning { try encoder.encode(prompts) }

  /// The captions of all `sets`, encoded now or by an earlier run.
  func encode(_ sets: [ImageSet]) throws -> EncodedCaptions {
    let texts = sets.flatMap { $0.captionChoices.flatMap { $0.map(\.text) } }
    var bar = ProgressBar("encoding", unit: "caption", total: texts.count, isShown: !isQuiet)
    defer { bar.clear() }
    return try EncodedCaptions(
      texts, encoder: encoder.identity, folder: text.cache,
      encode: { (texts) throws(PipelineError) in try encoder.encode(texts) },
      progress: { done, count in bar.update(done, of: count) })
  }
}
