enum DPMSolverSinglestepScheduler: DiffusersScheduler {
  static let className = "DPMSolverSinglestepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
    try settings.requireFixedVariance()
    let (prediction, eta) = try settings.algorithm()
    let solver = DPMSolverSinglestep(
      order: try settings.order(), prediction: prediction,
      variant: try settings.differenceWeight(), eta: eta,
      lowersFinalOrder: try settings.bool("lower_order_final"))
    return try settings.logSNRSampler(
      solver: solver.limited(to: limit), final: try settings.finalLevel()
    ) { (settings) throws(SamplingError) in try settings.multistepFlow() }
  }
}
