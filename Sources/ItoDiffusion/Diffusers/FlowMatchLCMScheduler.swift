enum FlowMatchLCMScheduler: DiffusersScheduler {
  static let className = "FlowMatchLCMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    if try settings.doubles("scale_factors") != nil {
      throw settings.unsupported("scale_factors", "a list")
    }
    _ = try settings.string("upscale_mode", default: "bicubic")
    var configuration = try FlowMatchEulerDiscreteScheduler.configuration(&settings)
    configuration.solver = ConsistencySolver()
    return configuration
  }
}
