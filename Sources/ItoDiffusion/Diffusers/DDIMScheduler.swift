enum DDIMScheduler: DiffusersScheduler {
  static let className = "DDIMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("thresholding")
    let schedule = try settings.betaSchedule(floorsTerminal: false)
    let clips = try settings.bool("clip_sample", default: true)
    let range = try settings.double("clip_sample_range", default: 1)
    let endsClean = try settings.bool("set_alpha_to_one", default: true)
    return SamplerConfiguration(
      schedule: schedule,
      parameterization: try settings.parameterization(
        time: .timestep(try settings.timesteps(), rounding: .nearest)),
      spacing: UniformSpacing(
        try settings.spacingKind(default: .leading),
        offset: try settings.int("steps_offset", default: 0), isRounded: true,
        final: endsClean ? .zero : .lowest, hasFixedStride: true),
      solver: DDIM(clip: clips ? range : nil))
  }
}
