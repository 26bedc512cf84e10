enum TCDScheduler: DiffusersScheduler {
  static let className = "TCDScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    // Settings that the class has and does not use: it ends at timestep 0 and
    // neither clips nor thresholds.
    _ = try settings.bool("set_alpha_to_one")
    _ = try settings.bool("clip_sample")
    _ = try settings.bool("thresholding")
    _ = try settings.int("steps_offset", default: 0)
    _ = try settings.string("timestep_spacing", default: "leading")
    _ = try settings.double("timestep_scaling")
    return SamplerConfiguration(
      schedule: try settings.betaSchedule(
        kind: "scaled_linear", start: 0.00085, end: 0.012, floorsTerminal: false),
      parameterization: try settings.parameterization(
        time: .timestep(try settings.timesteps(), rounding: .nearest)),
      spacing: DistilledSpacing(
        original: try settings.int("original_inference_steps", default: 50), final: .lowest),
      solver: TCD())
  }
}
