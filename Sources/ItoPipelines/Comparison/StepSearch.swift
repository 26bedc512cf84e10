import ItoComponents
public import ItoDiffusion
import ItoTensors

extension ImageGenerator {
  /// Levels for this model, found by `search` on pictures that it draws itself.
  ///
  /// The pictures of `request` are drawn with the model's own steps; the search then looks at the network's
  /// estimates for what was asked, without guidance, at `grid` levels of the request's spacing.
  ///
  /// - Parameter counts: the numbers of steps to find levels for.
  /// - Cost: one run, and `grid` evaluations of all pictures together.
  public func searchLevels(
    _ search: any LevelSearch, counts: [Int], grid: Int, for request: GenerationRequest,
    isCancelled: @escaping () -> Bool = { false }, onEvaluation: @escaping (Int) -> Void = { _ in }
  ) throws(PipelineError) -> [Int: LevelList] {
    var own = request
    own.spacing = nil
    own.batchSize = request.prompts.count
    let clean = try generateLatents(own, isCancelled: isCancelled)
    own.spacing = request.spacing
    own.steps = grid
    guard let run = try prepare(own).first, run.pictures.count == request.prompts.count else {
      throw .request("the pictures of a search must fit in one batch; give prompts of one length")
    }
    let levels = run.request.plan.levels
    let found = try Self.search(
      search, counts, levels, clean, try denoiser.load(), run, isCancelled, onEvaluation)
    var lists: [Int: LevelList] = [:]
    for (count, levels) in found {
      lists[count] = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try Self.list(levels, run.request.plan.schedule)
      }
    }
    return lists
  }

  private static func list(
    _ levels: [NoiseLevel], _ schedule: some NoiseSchedule
  ) throws(SamplingError) -> LevelList { try LevelList(levels, of: schedule) }

  private static func search<D: Denoiser>(
    _ search: any LevelSearch, _ counts: [Int], _ levels: [NoiseLevel], _ clean: Tensor,
    _ denoiser: D, _ run: PreparedRun, _ isCancelled: @escaping () -> Bool,
    _ onEvaluation: @escaping (Int) -> Void
  ) throws(PipelineError) -> [Int: [NoiseLevel]] {
    var noise = run.request.noise
    var done = 0
    let denoise = DenoiseFunction { (x, level) throws(SamplingError) in
      if isCancelled() { throw .cancelled(step: done) }
      done += 1
      onEvaluation(done)
      return try denoiser.denoise(
        x, at: level, given: run.request.positive, context: EvaluationContext())
    }
    return try wrapping(PipelineError.sampling) { () throws(SamplingError) in
      try search.levels(
        counts: counts, of: levels, clean: clean, noise: &noise, denoise: denoise)
    }
  }
}
