import ItoComponents
import ItoDiffusion
import ItoModels
import ItoTensors
import ItoTokenizers

/// Prompts by one or two CLIP text encoders, as Stable Diffusion 1.x, 2.x and SDXL are conditioned.
///
/// The features of several encoders stand beside each other, chunks of a long prompt one after the other.
struct CLIPPrompts: PromptEncoder {
  /// A text encoder and its tokenizer.
  struct Part: Sendable {
    var tokenizer: CLIPTokenizer
    var encoder: CLIPTextEncoder
    /// Learned words and the names of their tokens, longest first.
    var expansions: [(word: String, names: String)] = []
  }

  /// What the network was trained to be told.
  struct Convention: Sendable {
    /// Which layer of the encoders is used: 0 is the last.
    var skippedLayers = 0
    /// Whether the final norm follows whatever layer is used.
    var isNormalised = true
    /// Whether the last encoder's projected summary is used.
    var isPooled = false
    /// Whether a negative prompt that is not given is zeros rather than the empty text.
    var zeroesMissingNegative = false
    /// Sizes and crops, or sizes and a score of beauty.
    var sizes: Sizes?
    /// Features of the embedded scale of guidance.
    var guidanceFeatures: Int?

    enum Sizes: Sendable { case target, aestheticScore }
  }

  let parts: [Part]
  let convention: Convention

  func encode(
    _ prompt: Prompt, for picture: PictureFacts
  ) throws(PipelineError) -> PromptConditioning {
    let grammar = try wrapping(PipelineError.option) { () throws(OptionError) in
      try Registry<any PromptGrammar>.builtin.make(prompt.grammar)
    }
    let skip = prompt.clipSkip ?? 0
    let layers = parts.map(\.encoder.configuration.layers).min() ?? 0
    guard (0...max(0, layers - convention.skippedLayers)).contains(skip) else {
      throw .request("leaving out \(skip) layers of a text encoder that has \(layers)")
    }
    let positive = parts.map { chunks(prompt.text, grammar, prompt.overflow, $0) }
    let negative =
      picture.isGuided
      ? parts.map { chunks(prompt.negative ?? "", grammar, prompt.overflow, $0) } : []
    // Both prompts as long as the longer, so that one batch holds both.
    let count = (positive + negative).map(\.chunks.count).max() ?? 1
    var result = PromptConditioning()
    result.positive = conditioning(positive, count, grammar, skip)
    if !picture.isGuided {
      result.negative = result.positive
    } else if prompt.negative == nil && convention.zeroesMissingNegative {
      result.negative = result.positive
      result.negative.tokens = result.positive.tokens.map { Tensor(zeros: $0.shape) }
      result.negative.pooled = result.positive.pooled.map { Tensor(zeros: $0.shape) }
    } else {
      result.negative = conditioning(
        negative, count, grammar, grammar.skipsLayersOfNegative ? skip : 0)
    }
    addFacts(picture, &result)
    return result
  }

  private func rules(_ part: Part, _ overflow: PromptOverflow) -> PromptChunks.Rules {
    PromptChunks.Rules(
      length: part.encoder.configuration.positions, begin: part.tokenizer.startToken,
      end: part.tokenizer.endToken, padding: part.tokenizer.padToken, overflow: overflow)
  }

  private func chunks(
    _ text: String, _ grammar: any PromptGrammar, _ overflow: PromptOverflow, _ part: Part
  ) -> PromptChunks {
    var rules = rules(part, overflow)
    if grammar.endsChunksAtCommas { rules.comma = part.tokenizer.tokens(in: ",").first }
    return PromptChunks(grammar.parts(of: text), rules: rules) { part.tokens(in: $0) }
  }

  private func conditioning(
    _ chunks: [PromptChunks], _ count: Int, _ grammar: any PromptGrammar, _ skip: Int
  ) -> Conditioning {
    var streams: [Tensor] = []
    var pooled: Tensor?
    for (part, chunks) in zip(parts, chunks) {
      let rules = rules(part, .chunks)
      let all = chunks.padded(to: count, rules: rules).chunks
      let outputs = all.map { output($0.tokens, part, skip) }
      let hidden = zip(all, outputs).map { chunk, output in
        guard chunk.isWeighted else { return output.hidden }
        return grammar.weighted(output.hidden, by: chunk.weights) {
          let empty = PromptChunks([], rules: rules) { _ in [] }
          return self.output(empty.chunks[0].tokens, part, skip).hidden
        }
      }
      streams.append(Tensor.concatenated(hidden, axis: 1))
      pooled = outputs.first?.projected ?? pooled
    }
    return Conditioning(
      tokens: Tensor.concatenated(streams, axis: -1), pooled: convention.isPooled ? pooled : nil)
  }

  private func output(_ tokens: [Int32], _ part: Part, _ skip: Int) -> CLIPTextOutput {
    part.encoder(
      ids: Tensor(tokens, shape: [1, tokens.count]), skip: convention.skippedLayers + skip,
      normalised: convention.isNormalised)
  }

  /// Sizes and the scale of guidance, where the network takes them.
  private func addFacts(_ facts: PictureFacts, _ result: inout PromptConditioning) {
    if let features = convention.guidanceFeatures {
      let embedding = GuidanceEmbedding.embedding(scale: facts.guidanceScale, features: features)
      result.positive[GuidanceEmbedding.self] = embedding
      result.negative[GuidanceEmbedding.self] = embedding
    }
    guard let sizes = convention.sizes else { return }
    let own = PixelSize(height: facts.height, width: facts.width)
    let (original, target) = (facts.originalSize ?? own, facts.targetSize ?? own)
    func numbers(
      _ original: PixelSize, _ top: Int, _ left: Int, _ target: PixelSize, _ score: Double
    ) -> Tensor {
      let head = [original.height, original.width, top, left].map { Float($0) }
      let tail =
        switch sizes {
        case .target: [Float(target.height), Float(target.width)]
        case .aestheticScore: [Float(score)]
        }
      return Tensor(head + tail, shape: [1, head.count + tail.count])
    }
    result.positive[ImageSizes.self] = numbers(
      original, facts.cropTop, facts.cropLeft, target, facts.aestheticScore)
    let isOther = facts.negativeOriginalSize != nil || facts.negativeTargetSize != nil
    result.negative[ImageSizes.self] = numbers(
      facts.negativeOriginalSize ?? original, isOther ? 0 : facts.cropTop,
      isOther ? 0 : facts.cropLeft, facts.negativeTargetSize ?? target,
      facts.negativeAestheticScore)
  }
}
