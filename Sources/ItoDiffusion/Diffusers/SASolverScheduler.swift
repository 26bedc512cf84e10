enum SASolverScheduler: DiffusersScheduler {
  static let className = "SASolverScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
    try settings.requireFixedVariance()
    let algorithm = try settings.string("algorithm_type", default: "data_prediction")
    guard algorithm == "data_prediction" else {
      throw settings.unsupported("algorithm_type", algorithm)
    }
    let count = Double(try settings.timesteps())
    // Noise at timesteps 200 to 800, whatever their number.
    let solver = SASolver(
      predictorOrder: try settings.int("predictor_order", default: 2),
      correctorOrder: try settings.int("corrector_order", default: 2), start: 200 / count,
      end: 800 / count, lowersFinalOrder: try settings.bool("lower_order_final", default: true))
    guard (1...4).contains(solver.predictorOrder), (1...4).contains(solver.correctorOrder) else {
      throw settings.unsupported(
        "predictor_order, corrector_order", "\(solver.predictorOrder), \(solver.correctorOrder)")
    }
    let isFlow = try settings.bool("use_flow_sigmas")
    return try settings.logSNRSampler(
      solver: solver.limited(to: limit), final: isFlow ? .zero : .lowest
    ) { (settings) throws(SamplingError) in try settings.multistepFlow(endsAtLast: true) }
  }
}
