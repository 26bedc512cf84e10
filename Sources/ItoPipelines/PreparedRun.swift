import ItoDiffusion
import ItoImages
import ItoTensors

/// A batch of pictures with all that its run depends on besides the model.
struct PreparedRun {
  /// Their numbers in the request.
  var pictures: Range<Int>
  /// The sample that the run starts from.
  var initial: Tensor
  /// Levels, method, guidance, conditioning, noise.
  var request: SamplingRequest
}

extension ImageGenerator {
  /// The runs that `request` comes down to: prompts and starting pictures encoded, noise drawn.
  func prepare(_ request: GenerationRequest) throws(PipelineError) -> [PreparedRun] {
    try request.validate()
    guard !takesMaskedPicture || request.start?.mask != nil else {
      throw .request("this model repaints parts of a picture: give a picture and a mask")
    }
    let (plan, solver, guidance) = try plan(for: request)
    let guide = try guide(for: guidance)
    let size = size(for: request)
    let batches = try encodeBatches(request, facts(for: request, size))
    let beginning = try Beginning(self, request, size)
    var runs: [PreparedRun] = []
    for batch in batches {
      let count = batch.pictures.count
      var run = PreparedRun(
        pictures: batch.pictures, initial: Tensor(scalar: 0),
        request: SamplingRequest(
          positive: batch.conditioning.positive, negative: batch.conditioning.negative, plan: plan,
          solver: solver, guidance: guidance, cache: request.cache,
          noise: SamplingNoise(
            seed: request.seed &+ UInt64(batch.pictures.lowerBound), count: count,
            engine: request.engine), passes: request.passes ?? .batched,
          attention: request.attention, guide: guide))
      let shape = try layout.shape(height: size.height, width: size.width, count: count)
      try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try beginning.begin(&run, shape, sampler)
      }
      runs.append(run)
    }
    return runs
  }

  /// Pictures that are evaluated together.
  private struct Batch {
    var pictures: Range<Int>
    var conditioning: PromptConditioning
  }

  /// The conditioning of every picture, in batches whose members fit together.
  private func encodeBatches(
    _ request: GenerationRequest, _ facts: PictureFacts
  ) throws(PipelineError) -> [Batch] {
    let stage = try prompts.open()
    var known: [Prompt: PromptConditioning] = [:]
    var parts: [PromptConditioning] = []
    for prompt in request.prompts {
      if let part = known[prompt] {
        parts.append(part)
        continue
      }
      let part = try stage.part.encode(prompt, for: facts)
      known[prompt] = part
      parts.append(part)
    }
    try stage.finish()
    let limit = request.batchSize ?? defaults.batchSize
    var batches: [Batch] = []
    var start = 0
    while start < parts.count {
      // A picture does not depend on its neighbours: prompts of another length make another batch.
      var end = start + 1
      while end < min(parts.count, start + limit), parts[end].fits(parts[start]) { end += 1 }
      let group = parts[start..<end]
      guard let positive = Conditioning.batched(group.map(\.positive)),
        let negative = Conditioning.batched(group.map(\.negative))
      else { throw .request("the prompts of pictures \(start + 1) to \(end) do not fit together") }
      batches.append(
        Batch(
          pictures: start..<end,
          conditioning: PromptConditioning(positive: positive, negative: negative)))
      start = end
    }
    return batches
  }
}

extension PromptConditioning {
  /// Whether both have prompts of one length, or masks that make up for it.
  fileprivate func fits(_ other: PromptConditioning) -> Bool {
    func agree(_ a: Conditioning, _ b: Conditioning) -> Bool {
      a.tokens?.shape == b.tokens?.shape || (a.mask != nil && b.mask != nil)
    }
    return agree(positive, other.positive) && agree(negative, other.negative)
  }
}
