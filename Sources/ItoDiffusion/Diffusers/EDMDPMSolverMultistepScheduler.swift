enum EDMDPMSolverMultistepScheduler: DiffusersScheduler {
  static let className = "EDMDPMSolverMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
    let solver = try DPMSolverMultistepScheduler.multistepSolver(&settings)
    return try EDMEulerScheduler.karras(&settings, solver: solver.limited(to: limit))
  }
}
