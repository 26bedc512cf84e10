enum EulerDiscreteScheduler: DiffusersScheduler {
  static let className = "EulerDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let interpolation = try settings.string("interpolation_type", default: "linear")
    guard interpolation == "linear" else {
      throw settings.unsupported("interpolation_type", interpolation)
    }
    let prediction = try settings.string("prediction_type", default: "epsilon")
    let kind = try settings.choice(
      "timestep_type", default: "discrete", ["discrete": false, "continuous": true])
    // Only networks that predict v are told the noise itself.
    let time: ConditioningTime =
      kind && prediction == "v_prediction"
      ? .quarterLogNoise : .timestep(try settings.timesteps())
    let spacing = try settings.spacingKind(default: .linspace)
    var configuration = SamplerConfiguration(
      schedule: try settings.betaSchedule(floorsTerminal: true),
      parameterization: try settings.parameterization(time: time),
      spacing: try settings.respaced(
        UniformSpacing(
          spacing, offset: try settings.int("steps_offset", default: 0),
          final: try settings.finalLevel())),
      solver: EulerSolver(), initialScale: spacing == .leading ? .deviation : .sigma)
    configuration.keepsAlphaAtOne = true
    return configuration
  }
}
