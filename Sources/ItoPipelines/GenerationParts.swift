public import ItoDiffusion
public import ItoTensors

/// The parts of drawing one batch, each to be run on its own: to time them, or to see what they do.
public struct GenerationParts: Sendable {
  private let generator: ImageGenerator
  private let request: GenerationRequest
  private let run: PreparedRun

  /// The parts of the first batch of `request`: its prompts are encoded and its noise drawn.
  public init(_ generator: ImageGenerator, _ request: GenerationRequest) throws(PipelineError) {
    self.generator = generator
    self.request = request
    guard let first = try generator.prepare(request).first else {
      throw .request("no picture was asked for")
    }
    run = first
  }

  /// The shape of the batch's latents, `[pictures, height, width, channels]`.
  public var latentShape: Shape { run.initial.shape }

  /// Encodes the prompt of one picture, and what it is against when the request has guidance.
  public func encodePrompt() throws(PipelineError) {
    guard let prompt = request.prompts.first else { return }
    let facts = generator.facts(for: request, generator.size(for: request))
    _ = try generator.prompts.load().encode(prompt, for: facts)
  }

  /// What the evaluations of one run share, at its first step.
  public func makeContext() -> EvaluationContext {
    let plan = run.request.plan
    let context = EvaluationContext(
      cache: nil, plan: plan, attention: run.request.attention)
    let (level, next) = plan.step(0)
    context.step = StepInfo(
      index: 0, count: plan.stepCount, evaluation: 0, level: level, next: next)
    return context
  }

  /// One evaluation of the network on the whole batch, at the first level, without guidance.
  ///
  /// - Parameter context: of the run. The first evaluation with it computes what depends on nothing but prompt and
  ///   levels, such as a prompt's keys and values, and later ones find it there, as those of a run's further steps do.
  @discardableResult
  public func evaluate(in context: EvaluationContext) throws(PipelineError) -> Tensor {
    let denoiser = try generator.denoiser.load()
    return try wrapping(PipelineError.sampling) { () throws(SamplingError) in
      try denoiser.denoise(
        run.initial, at: run.request.plan.levels[0], given: run.request.positive,
        context: context)
    }
  }

  /// The batch's pictures, of a latent that is noise.
  @discardableResult
  public func decode() throws(PipelineError) -> Tensor {
    try generator.codec.load().decode(run.initial)
  }
}
