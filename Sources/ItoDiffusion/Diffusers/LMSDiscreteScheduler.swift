enum LMSDiscreteScheduler: DiffusersScheduler {
  static let className = "LMSDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.sigmaSampler(start: 1e-4, end: 0.02, solver: LinearMultistep())
  }
}
