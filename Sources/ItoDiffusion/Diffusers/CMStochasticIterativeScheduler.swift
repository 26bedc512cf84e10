enum CMStochasticIterativeScheduler: DiffusersScheduler {
  static let className = "CMStochasticIterativeScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let count = try settings.int("num_train_timesteps", default: 40)
    let minimum = try settings.double("sigma_min", default: 0.002)
    let maximum = try settings.double("sigma_max", default: 80)
    guard count > 1, minimum > 0, minimum < maximum else {
      throw .invalidSetting(
        scheduler: settings.scheduler, setting: "sigma_min, num_train_timesteps",
        reason: "are \(minimum) and \(count); needed are a value between 0 and sigma_max, "
          + "\(maximum), and at least 2")
    }
    let clips = try settings.bool("clip_denoised", default: true)
    return SamplerConfiguration(
      schedule: VarianceExploding(
        minimum: minimum, maximum: maximum, rho: try settings.double("rho", default: 7)),
      parameterization: ConsistencyPreconditioning(
        dataDeviation: try settings.double("sigma_data", default: 0.5), minimum: minimum),
      spacing: WholeDivisions(divisions: count),
      solver: ConsistencySolver(
        floor: minimum, noiseScale: try settings.double("s_noise", default: 1),
        clip: clips ? 1 : nil), initialScale: .sigma)
  }
}

/// Times from the noisiest, a whole number of the schedule's divisions apart, and the least noise after.
private struct WholeDivisions: StepSpacing {
  let divisions: Int

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0, count <= divisions else {
      throw .invalidPlan("\(count) steps; the scheduler allows 1 to \(divisions)")
    }
    let stride = divisions / count
    let times = (0..<count).map { 1 - Double($0 * stride) / Double(divisions - 1) }
    return times.map { schedule.level(at: $0) } + [schedule.level(at: 0)]
  }
}
