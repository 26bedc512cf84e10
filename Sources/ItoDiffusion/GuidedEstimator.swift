import ItoTensors

/// The guided clean estimates of one run: evaluates the passes that guidance wants and combines them.
final class GuidedEstimator<D: Denoiser, G: Guidance> {
  let context: EvaluationContext
  /// Passes evaluated so far.
  private(set) var evaluations = 0

  private let denoiser: D
  private let guidance: G
  private var memory: G.Memory
  private let request: SamplingRequest
  private let conditionings: [ConditioningRole: Conditioning]
  private let isCancelled: () -> Bool
  private let onEstimate: (StepInfo, Tensor, Tensor) -> Void
  private var calls = 0
  private var step = 0
  private var next = NoiseLevel.clean
  // Joined conditionings, made once for each set of passes; nil where they do not fit together.
  private var joined: [[ConditioningRole]: Conditioning?] = [:]

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

  /// The guided estimate of `x` at `level`.
  func estimate(_ x: Tensor, at level: NoiseLevel) throws(SamplingError) -> Tensor {
    try checkCancellation()
    let info = info(at: level)
    calls += 1
    context.step = info
    let passes = guidance.passes(at: info, memory: &memory)
    evaluations += passes.count
    let estimates = try evaluate(passes, x, level)
    let clean = guidance.combine(estimates, of: x, at: info, memory: &memory)
    onEstimate(info, x, clean)
    return clean
  }

  private func evaluate(
    _ passes: [GuidancePass], _ x: Tensor, _ level: NoiseLevel
  ) throws(SamplingError) -> [Tensor] {
    if passes.count > 1, request.passes == .batched, let conditioning = joined(passes) {
      context.pass = PassID(passes.map(\.id.name).joined(separator: "+"))
      let stack = Tensor.concatenated([Tensor](repeating: x, count: passes.count), axis: 0)
      return try denoiser.denoise(stack, at: level, given: conditioning, context: context)
        .chunks(passes.count, axis: 0)
    }
    var estimates: [Tensor] = []
    for pass in passes {
      context.pass = pass.id
      let conditioning = conditionings[pass.role] ?? Conditioning()
      estimates.append(
        try denoiser.denoise(x, at: level, given: conditioning, context: context))
    }
    return estimates
  }

  private func joined(_ passes: [GuidancePass]) -> Conditioning? {
    let roles = passes.map(\.role)
    if let known = joined[roles] { return known }
    let conditioning = Conditioning.batched(roles.map { conditionings[$0] ?? Conditioning() })
    joined[roles] = .some(conditioning)
    return conditioning
  }
}
