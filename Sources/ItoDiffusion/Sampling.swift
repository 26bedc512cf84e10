public import ItoTensors

/// Takes a sample through the levels of a plan: the one sampling loop.
///
/// - Parameters:
///   - initial: `[batch, …]`, a sample at the plan's first level.
///   - denoiser: the model.
///   - request: levels, method, guidance, conditioning, noise.
///   - isCancelled: asked before every evaluation, beside the task's own cancellation.
///   - onEstimate: told every evaluation, the sample and its clean estimate, which is a preview.
///   - onStep: told every step and the sample after it.
/// - Throws: `cancelled`, `nonFinite` with the step and its sigma, `invalidPlan` before anything is
///   computed, `invalidRequest` when the conditioning does not fit the batch.
public func sample(
  _ initial: Tensor, with denoiser: some Denoiser, _ request: SamplingRequest,
  isCancelled: @escaping () -> Bool = { false },
  onEstimate: @escaping (StepInfo, _ x: Tensor, _ clean: Tensor) -> Void = { _, _, _ in },
  onStep: (StepInfo, Tensor) -> Void = { _, _ in }
) throws(SamplingError) -> SamplingResult {
  try run(
    request.solver, request.guidance, initial, denoiser, request, isCancelled, onEstimate, onStep)
}

private func run<S: Solver, G: Guidance>(
  _ solver: S, _ guidance: G, _ initial: Tensor, _ denoiser: some Denoiser,
  _ request: SamplingRequest, _ isCancelled: @escaping () -> Bool,
  _ onEstimate: @escaping (StepInfo, Tensor, Tensor) -> Void,
  _ onStep: (StepInfo, Tensor) -> Void
) throws(SamplingError) -> SamplingResult {
  let plan = request.plan
  try solver.validate(plan)
  try guidance.validate(request)
  var x = initial.detached().cast(to: .float32)
  let estimator = try GuidedEstimator(
    denoiser, guidance, request, batch: x.batchCount, isCancelled: isCancelled,
    onEstimate: onEstimate)
  let denoise = DenoiseFunction(together: { (queries) throws(SamplingError) in
    try estimator.estimates(for: queries)
  })
  var memory = solver.makeMemory(for: plan)
  var noise = request.noise
  for index in 0..<plan.stepCount {
    let (current, next) = plan.step(index)
    estimator.begin(step: index, next: next)
    try estimator.checkCancellation()
    let step = estimator.info(at: current)
    x = try solver.step(
      x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
    guard x.isFinite else { throw .nonFinite(step: index, sigma: current.sigma) }
    onStep(step, x)
  }
  return SamplingResult(
    latent: x, cache: estimator.context.statistics, evaluations: estimator.evaluations,
    savedEvaluations: estimator.savedEvaluations, rounds: estimator.rounds)
}
