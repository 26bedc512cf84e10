enum PNDMScheduler: DiffusersScheduler {
  static let className = "PNDMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let skips = try settings.bool("skip_prk_steps")
    let endsClean = try settings.bool("set_alpha_to_one")
    return SamplerConfiguration(
      schedule: try settings.betaSchedule(floorsTerminal: false),
      parameterization: try settings.parameterization(
        time: .timestep(try settings.timesteps(), rounding: .nearest)),
      spacing: UniformSpacing(
        try settings.spacingKind(default: .leading),
        offset: try settings.int("steps_offset", default: 0), isRounded: true,
        final: endsClean ? .zero : .lowest, hasFixedStride: true),
      solver: PNDM(start: skips ? .multistep : .rungeKutta))
  }
}
