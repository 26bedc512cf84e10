enum EDMDPMSolverMultistepScheduler: DiffusersScheduler {
  static let className = "EDMDPMSolverMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("thresholding")
    let solver = try DPMSolverMultistepScheduler.multistepSolver(&settings)
    return try EDMEulerScheduler.karras(&settings, solver: solver)
  }
}
