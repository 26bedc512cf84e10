enum DDPMScheduler: DiffusersScheduler {
  static let className = "DDPMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    // The logarithmic names stand for the same variances there.
    let variance = try settings.choice(
      "variance_type", default: "fixed_small",
      ["fixed_small": 0.0, "fixed_small_log": 0, "fixed_large": 1, "fixed_large_log": 1])
    let limit = try settings.estimateLimit(clipsByDefault: true)
    return SamplerConfiguration(
      schedule: try settings.betaSchedule(floorsTerminal: false),
      parameterization: try settings.parameterization(
        time: .timestep(try settings.timesteps(), rounding: .nearest)),
      spacing: UniformSpacing(
        try settings.spacingKind(default: .leading),
        offset: try settings.int("steps_offset", default: 0), isRounded: true),
      solver: DDPM(variance: variance).limited(to: limit))
  }
}
