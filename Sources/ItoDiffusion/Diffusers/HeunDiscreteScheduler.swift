enum HeunDiscreteScheduler: DiffusersScheduler {
  static let className = "HeunDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let spacing = try settings.spacingKind(default: .linspace)
    let clips = try settings.bool("clip_sample")
    let range = try settings.double("clip_sample_range", default: 1)
    var configuration = SamplerConfiguration(
      schedule: try settings.betaSchedule(start: 0.00085, end: 0.012, floorsTerminal: true),
      parameterization: try settings.parameterization(time: .timestep(try settings.timesteps())),
      spacing: try settings.respaced(
        UniformSpacing(spacing, offset: try settings.int("steps_offset", default: 0))),
      solver: HeunSolver(variables: .noiseToSignal, clip: clips ? range : nil),
      initialScale: spacing == .leading ? .deviation : .sigma)
    configuration.keepsAlphaAtOne = true
    return configuration
  }
}
