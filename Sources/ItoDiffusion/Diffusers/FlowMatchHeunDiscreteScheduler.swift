enum FlowMatchHeunDiscreteScheduler: DiffusersScheduler {
  static let className = "FlowMatchHeunDiscreteScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let count = try settings.timesteps()
    let shift = TimeShift(try settings.double("shift", default: 1))
    return SamplerConfiguration(
      schedule: RectifiedFlow(), parameterization: FlowPrediction(time: .scaled(Double(count))),
      // The times run between the ends of the shifted schedule, and are shifted once more.
      spacing: ShiftedFlow(shift: shift, end: shift(1 / Double(count))),
      solver: HeunSolver(variables: .flow))
  }
}
