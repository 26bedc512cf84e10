enum LCMScheduler: DiffusersScheduler {
  static let className = "LCMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("thresholding", "clip_sample")
    // The last step gives the clean estimate whatever these say.
    _ = try settings.bool("set_alpha_to_one")
    _ = try settings.int("steps_offset", default: 0)
    _ = try settings.string("timestep_spacing", default: "leading")
    let count = try settings.timesteps()
    return SamplerConfiguration(
      schedule: try settings.betaSchedule(
        kind: "scaled_linear", start: 0.00085, end: 0.012, floorsTerminal: false),
      parameterization: ConsistencyBoundary(
        base: try settings.parameterization(time: .timestep(count, rounding: .nearest)),
        timesteps: count, scaling: try settings.double("timestep_scaling", default: 10)),
      spacing: DistilledSpacing(
        original: try settings.int("original_inference_steps", default: 50)),
      solver: ConsistencySolver())
  }
}
