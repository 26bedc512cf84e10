import ItoTensors

/// The guided clean estimates of one run: evaluates the passes that guidance wants and combines them.
final class GuidedEstimator<D: Denoiser, G: Guidance> {
  let context: EvaluationContext
  /// Passes evaluated so far.
  private(set) var evaluations = 0
  /// Calls of `estimates(for:)` so far.
  private(set) var rounds = 0
  /// Passes that guidance left out of estimates where it asked for more elsewhere.
  var savedEvaluations: Int { mostPasses * calls - evaluations }

  private let denoiser: D
  private let guidance: G
  private var memory: G.Memory
  private let request: SamplingRequest
  private let conditionings: [ConditioningRole: Conditioning]
  private let isCancelled: () -> Bool
  private let onEstimate: (StepInfo, Tensor, Tensor) -> Void
  private var calls = 0
  private var mostPasses = 0
  private var step = 0
  private var next = NoiseLevel.clean
  // The conditionings joined last; nil where they do not fit together.
  private var joined: (roles: [ConditioningRole], conditioning: Conditioning?)?

  init(
    _ denoiser: D, _ guidance: G, _ request: SamplingRequest, batch: Int,
    isCancelled: @escaping () -> Bool, onEstimate: @escaping (StepInfo, Tensor, Tensor) -> Void
  ) throws(SamplingError) {
    self.denoiser = denoiser
    self.guidance = guidance
    self.request = request
    self.isCancelled = isCancelled
    self.onEstimate = onEstimate
    memory = guidance.makeMemory(for: request.plan)
    conditionings = [
      .positive: try request.positive.expanded(to: batch),
      .negative: try request.negative.expanded(to: batch),
    ]
    context = EvaluationContext(
      cache: request.cache, plan: request.plan, attention: request.attention)
  }

  /// Called at the beginning of a step.
  func begin(step: Int, next: NoiseLevel) {
    self.step = step
    self.next = next
  }

  /// Where the run is, at `level`.
  func info(at level: NoiseLevel) -> StepInfo {
    StepInfo(
      index: step, count: request.plan.stepCount, evaluation: calls, level: level, next: next)
  }

  /// Throws if the run or its task was cancelled.
  func checkCancellation() throws(SamplingError) {
    if Task.isCancelled || isCancelled() { throw .cancelled(step: step) }
  }

  /// The guided estimates for `queries`.
  func estimates(for queries: [DenoiseQuery]) throws(SamplingError) -> [Tensor] {
    try checkCancellation()
    if queries.count > 1, request.cache != nil {
      throw .invalidRequest(
        "a cache follows a sample from step to step, and the solver evaluates several steps at "
          + "once; leave one of them out")
    }
    rounds += 1
    let infos = queries.map { query in
      var info = self.info(at: query.level)
      info.index += query.stepOffset
      info.next = query.target ?? info.next
      calls += 1
      return info
    }
    let passes = infos.map { guidance.passes(at: $0, memory: &memory) }
    var jobs: [Job] = []
    for (query, wanted) in passes.enumerated() {
      jobs += wanted.map { Job(query: query, pass: $0) }
      mostPasses = max(mostPasses, wanted.count)
    }
    evaluations += jobs.count
    context.step = infos.first
    var results = try evaluate(jobs, queries)[...]
    var estimates: [Tensor] = []
    for (index, query) in queries.enumerated() {
      let own = Array(results.prefix(passes[index].count))
      results = results.dropFirst(own.count)
      let clean = guidance.combine(own, of: query.x, at: infos[index], memory: &memory)
      onEstimate(infos[index], query.x, clean)
      estimates.append(clean)
    }
    return estimates
  }

  /// One pass of one query.
  private struct Job {
    let query: Int
    let pass: GuidancePass
    /// Jobs with the same network can be evaluated together.
    var network: GuidancePass {
      GuidancePass(.conditional, .positive, model: pass.model, perturbation: pass.perturbation)
    }
  }

  /// The estimates of the passes, in their order.
  private func evaluate(
    _ jobs: [Job], _ queries: [DenoiseQuery]
  ) throws(SamplingError) -> [Tensor] {
    var results = [Tensor?](repeating: nil, count: jobs.count)
    for (index, job) in jobs.enumerated() where results[index] == nil {
      // Together with what comes later and needs the same network.
      let alike =
        request.passes == .batched
        ? jobs.indices.filter { jobs[$0].network == job.network } : [index]
      if alike.count > 1, let stack = try together(alike.map { jobs[$0] }, queries) {
        for (place, estimate) in Swift.zip(alike, stack) { results[place] = estimate }
        continue
      }
      let query = queries[job.query]
      context.pass = job.pass.id
      results[index] = try evaluating(job.pass) { (denoiser) throws(SamplingError) in
        try denoiser.denoise(
          query.x, at: query.level, given: conditionings[job.pass.role] ?? Conditioning(),
          context: context)
      }
    }
    return results.compactMap { $0 }
  }

  /// The passes in one batch, or nil where their conditionings or the model do not allow it.
  private func together(
    _ jobs: [Job], _ queries: [DenoiseQuery]
  ) throws(SamplingError) -> [Tensor]? {
    guard let conditioning = joined(jobs.map(\.pass.role)) else { return nil }
    let levels = jobs.map { queries[$0.query].level }
    let stack = Tensor.concatenated(jobs.map { queries[$0.query].x }, axis: 0)
    var names: [String] = []
    for job in jobs where !names.contains(job.pass.id.name) { names.append(job.pass.id.name) }
    context.pass = PassID(names.joined(separator: "+"))
    let isOneLevel = levels.allSatisfy { $0 == levels[0] }
    let batch = stack.batchCount / jobs.count
    let estimates = try evaluating(jobs[0].pass) { (denoiser) throws(SamplingError) in
      isOneLevel
        ? try denoiser.denoise(stack, at: levels[0], given: conditioning, context: context)
        : try denoiser.denoise(
          stack, atEach: levels.flatMap { [NoiseLevel](repeating: $0, count: batch) },
          given: conditioning, context: context)
    }
    return estimates?.chunks(jobs.count, axis: 0)
  }

  /// Calls `body` with the pass's model and perturbation.
  private func evaluating<Result>(
    _ pass: GuidancePass, _ body: (any Denoiser) throws(SamplingError) -> Result
  ) throws(SamplingError) -> Result {
    context.perturbation = pass.perturbation
    defer { context.perturbation = nil }
    let before = context.perturbedCount
    let result: Result
    switch pass.model {
    case .main: result = try body(denoiser)
    case .guide:
      guard let guide = request.guide else {
        throw .invalidRequest("the guidance needs a second model, and there is none")
      }
      result = try body(guide)
    }
    if pass.perturbation != nil, context.perturbedCount == before {
      throw .invalidRequest(
        "the guidance perturbs blocks that the model does not have; name others, or choose another "
          + "guidance")
    }
    return result
  }

  private func joined(_ roles: [ConditioningRole]) -> Conditioning? {
    if let joined, joined.roles == roles { return joined.conditioning }
    let conditioning = Conditioning.batched(roles.map { conditionings[$0] ?? Conditioning() })
    joined = (roles, conditioning)
    return conditioning
  }
}
