enum DDIMScheduler: DiffusersScheduler {
  static let className = "DDIMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let schedule = try settings.betaSchedule(floorsTerminal: false)
    let limit = try settings.estimateLimit(clipsByDefault: true)
    let endsClean = try settings.bool("set_alpha_to_one", default: true)
    return SamplerConfiguration(
      schedule: schedule,
      parameterization: try settings.parameterization(
        time: .timestep(try settings.timesteps(), rounding: .nearest)),
      spacing: UniformSpacing(
        try settings.spacingKind(default: .leading),
        offset: try settings.int("steps_offset", default: 0), isRounded: true,
        final: endsClean ? .zero : .lowest, hasFixedStride: true),
      solver: DDIM(limit: limit))
  }
}
