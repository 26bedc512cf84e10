/// In two steps the second starts at an angle of 1.3 unless `intermediate_timesteps` says otherwise.
enum SCMScheduler: DiffusersScheduler {
  static let className = "SCMScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    _ = try settings.timesteps()
    _ = try settings.choice("prediction_type", default: "trigflow", ["trigflow": true])
    let deviation = try settings.double("sigma_data", default: 0.5)
    guard deviation > 0 else {
      throw .invalidSetting(
        scheduler: settings.scheduler, setting: "sigma_data", reason: "is \(deviation), not above 0"
      )
    }
    var configuration = SamplerConfiguration(
      schedule: TrigonometricFlow(dataDeviation: deviation),
      parameterization: FiveDigits(base: TrigFlowPrediction(dataDeviation: deviation)),
      spacing: EqualAngles(
        intermediate: try settings.double("intermediate_timesteps", default: 1.3)),
      solver: TrigFlowSolver(renews: true), initialScale: .sigma)
    configuration.listsEnd = true
    return configuration
  }
}

/// Angles in equal steps from a right angle to 0, but for two steps.
private struct EqualAngles: StepSpacing {
  let intermediate: Double

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    let times =
      count == 2 ? [1, intermediate / (Double.pi / 2)] : linspace(1, 0, count + 1).prefix(count)
    return times.map { schedule.level(at: $0) } + [.clean]
  }
}

/// Networks are told a right angle as that tool writes it.
private struct FiveDigits: Parameterization {
  let base: TrigFlowPrediction

  func preconditioning(at level: NoiseLevel) -> Preconditioning {
    var result = base.preconditioning(at: level)
    if level.alpha == 0 { result.conditioningTime = 1.57080 }
    return result
  }

  func target(at level: NoiseLevel) -> TrainingTarget { base.target(at: level) }
}
