enum EulerAncestralDiscreteScheduler: DiffusersScheduler {
  static let className = "EulerAncestralDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let spacing = try settings.spacingKind(default: .linspace)
    var configuration = SamplerConfiguration(
      schedule: try settings.betaSchedule(floorsTerminal: true),
      parameterization: try settings.parameterization(time: .timestep(try settings.timesteps())),
      spacing: UniformSpacing(spacing, offset: try settings.int("steps_offset", default: 0)),
      solver: AncestralEuler(), initialScale: spacing == .leading ? .deviation : .sigma)
    configuration.keepsAlphaAtOne = true
    return configuration
  }
}
