import ItoDiffusion
import ItoTensors

/// Prompts in free words, by the text encoder a network was trained with.
///
/// Guidance pushes away from no prompt at all, which the network saw in training, or from the negative
/// prompt where there is one.
struct TextPrompts: PromptEncoder {
  let encoder: any TextEncoder

  func encode(
    _ prompt: Prompt, for picture: PictureFacts
  ) throws(PipelineError) -> PromptConditioning {
    let positive = try encoder.encode([prompt.text])
    guard picture.isGuided, let negative = prompt.negative, !negative.isEmpty else {
      return PromptConditioning(positive: positive, negative: encoder.unconditional)
    }
    return PromptConditioning(positive: positive, negative: try encoder.encode([negative]))
  }
}
