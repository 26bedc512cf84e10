/// Differs: the noise is that of the run's streams, not of a Brownian tree.
enum CosineDPMSolverMultistepScheduler: DiffusersScheduler {
  static let className = "CosineDPMSolverMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let order = try settings.order()
    guard order < 3 else { throw settings.unsupported("solver_order", "\(order)") }
    let solver = DPMSolverMultistep(
      order: order, variant: try settings.differenceWeight(), eta: 1,
      lowersFinalOrder: try settings.bool("lower_order_final", default: true),
      endsWithEuler: try settings.bool("euler_at_final"))
    return try EDMEulerScheduler.karras(
      &settings, solver: solver, minimum: 0.3, maximum: 500, dataDeviation: 1,
      sigmas: "exponential", prediction: "v_prediction", time: .arcTangent)
  }
}
