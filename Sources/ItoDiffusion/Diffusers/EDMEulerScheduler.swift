enum EDMEulerScheduler: DiffusersScheduler {
  static let className = "EDMEulerScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try karras(&settings, solver: EulerSolver())
  }

  /// What the schedulers of EDM models share, with their defaults.
  static func karras(
    _ settings: inout SchedulerSettings, solver: any Solver, minimum: Double = 0.002,
    maximum: Double = 80, dataDeviation: Double = 0.5, sigmas: String = "karras",
    prediction: String = "epsilon", time: ConditioningTime = .quarterLogNoise
  ) throws(SamplingError) -> SamplerConfiguration {
    // Only a table of sigmas that sampling does not use has as many entries.
    _ = try settings.timesteps()
    let minimum = try settings.double("sigma_min", default: minimum)
    let maximum = try settings.double("sigma_max", default: maximum)
    guard minimum > 0, minimum < maximum else {
      throw .invalidSetting(
        scheduler: settings.scheduler, setting: "sigma_min",
        reason: "is \(minimum), not between 0 and sigma_max, \(maximum)")
    }
    let rho = try settings.double("rho", default: 7)
    let range = NoiseRange(
      minimum: minimum, maximum: maximum, base: UniformSpacing(final: try settings.finalLevel()))
    let isKarras = try settings.choice(
      "sigma_schedule", default: sigmas, ["karras": true, "exponential": false])
    let isNegated = try settings.choice(
      "prediction_type", default: prediction, ["epsilon": false, "v_prediction": true])
    return SamplerConfiguration(
      schedule: VarianceExploding(minimum: minimum, maximum: maximum, rho: rho),
      parameterization: KarrasPreconditioning(
        dataDeviation: try settings.double("sigma_data", default: dataDeviation),
        isNegated: isNegated, time: time),
      spacing: isKarras
        ? KarrasSpacing(rho: rho, range: range)
        : ExponentialSpacing(range: range),
      solver: solver, initialScale: .deviation)
  }
}
