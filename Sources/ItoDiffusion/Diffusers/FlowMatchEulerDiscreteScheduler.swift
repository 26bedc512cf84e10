enum FlowMatchEulerDiscreteScheduler: DiffusersScheduler {
  static let className = "FlowMatchEulerDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("invert_sigmas")
    let isStochastic = try settings.bool("stochastic_sampling")
    let count = try settings.timesteps()
    return SamplerConfiguration(
      schedule: RectifiedFlow(), parameterization: FlowPrediction(time: .scaled(Double(count))),
      spacing: try settings.respaced(try spacing(&settings, timesteps: count)),
      solver: isStochastic ? ConsistencySolver() : EulerSolver())
  }

  static func spacing(
    _ settings: inout SchedulerSettings, timesteps count: Int
  ) throws(SamplingError) -> ShiftedFlow {
    let shift = TimeShift(try settings.double("shift", default: 1))
    let isExponential = try settings.choice(
      "time_shift_type", default: "exponential", ["exponential": true, "linear": false])
    let resolution = ResolutionShift(
      baseShift: try settings.double("base_shift", default: 0.5),
      maximumShift: try settings.double("max_shift", default: 1.15),
      baseTokens: try settings.int("base_image_seq_len", default: 256),
      maximumTokens: try settings.int("max_image_seq_len", default: 4096),
      isExponential: isExponential)
    let mu = try settings.double("mu")
    let isDynamic = try settings.bool("use_dynamic_shifting")
    // A terminal of 0 is none.
    let terminal = try settings.double("shift_terminal").flatMap { $0 == 0 ? nil : $0 }
    let lowest = 1 / Double(count)
    guard isDynamic else {
      // The times run between the ends of the shifted schedule, and are shifted once more.
      return ShiftedFlow(shift: shift, end: shift(lowest), terminal: terminal)
    }
    var spacing = ShiftedFlow(resolution: resolution, end: lowest, terminal: terminal)
    if let mu {
      spacing.shift = resolution.shift(mu: mu)
      spacing.resolution = nil
    }
    return spacing
  }
}
