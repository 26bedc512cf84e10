enum DEISMultistepScheduler: DiffusersScheduler {
  static let className = "DEISMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
    // Names of other solvers stand for log ρ there too.
    _ = try settings.choice(
      "algorithm_type", default: "deis", ["deis": true, "dpmsolver": true, "dpmsolver++": true])
    _ = try settings.choice(
      "solver_type", default: "logrho",
      ["logrho": true, "midpoint": true, "heun": true, "bh1": true, "bh2": true])
    let solver = DEIS(
      order: try settings.order(),
      lowersFinalOrder: try settings.bool("lower_order_final", default: true))
    let isFlow = try settings.bool("use_flow_sigmas")
    return try settings.logSNRSampler(
      solver: solver.limited(to: limit), final: isFlow ? .zero : .lowest
    ) { (settings) throws(SamplingError) in try settings.multistepFlow(endsAtLast: true) }
  }
}
