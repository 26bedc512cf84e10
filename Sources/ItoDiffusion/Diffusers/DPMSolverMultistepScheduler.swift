enum DPMSolverMultistepScheduler: DiffusersScheduler {
  static let className = "DPMSolverMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("thresholding", "use_lu_lambdas")
    let variance = try settings.string("variance_type", default: "fixed")
    guard variance == "fixed" else { throw settings.unsupported("variance_type", variance) }
    let solver = try multistepSolver(&settings)
    let final = try settings.finalLevel()
    if try settings.bool("use_flow_sigmas") {
      return try flow(&settings, solver: solver, final: final)
    }

    let schedule = try settings.betaSchedule(floorsTerminal: true)
    let lowestLambda = try settings.double("lambda_min_clipped", default: -.infinity)
    let base = UniformSpacing(
      try settings.spacingKind(default: .linspace),
      offset: try settings.int("steps_offset", default: 0), isRounded: true, dropsLowest: true,
      limit: timesteps(of: schedule, above: lowestLambda), final: final)
    // Karras and exponential sigmas span the whole schedule, not the timesteps chosen above.
    let spacing = try settings.respaced(UniformSpacing(final: final))
    let isRounded = spacing is KarrasSpacing && !(schedule is CosineBeta)
    let time = ConditioningTime.timestep(
      try settings.timesteps(),
      rounding: spacing is UniformSpacing || isRounded ? .nearest : .down)
    return SamplerConfiguration(
      schedule: schedule, parameterization: try settings.parameterization(time: time),
      spacing: spacing is UniformSpacing ? base : spacing, solver: solver)
  }

  /// Sigmas of a flow on the same solver.
  private static func flow(
    _ settings: inout SchedulerSettings, solver: any Solver, final: FinalLevel
  ) throws(SamplingError) -> SamplerConfiguration {
    guard final == .zero else { throw settings.unsupported("final_sigmas_type", "sigma_min") }
    let count = try settings.timesteps()
    var spacing = MultistepFlow(
      shift: TimeShift(try settings.double("flow_shift", default: 1)), timesteps: count)
    if try settings.bool("use_dynamic_shifting") {
      if let mu = try settings.double("mu") {
        spacing.shift = .exponential(mu)
      } else {
        spacing.resolution = ResolutionShift()
      }
    }
    return SamplerConfiguration(
      schedule: RectifiedFlow(),
      parameterization: try settings.parameterization(
        time: .scaled(Double(count), rounding: .down)),
      spacing: spacing, solver: solver)
  }

  /// How many timesteps have a half-log-SNR of at least `lambda`; nil when all have.
  private static func timesteps(of schedule: any TabulatedSchedule, above lambda: Double) -> Int? {
    guard lambda > -.infinity, let count = schedule.timestepCount else { return nil }
    return (0..<count).count { schedule.level(timestep: Double($0)).halfLogSNR >= lambda }
  }

  /// The DPM-Solver++ of order 1 or 2 that the settings ask for.
  static func multistepSolver(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> any Solver {
    let algorithm = try settings.string("algorithm_type", default: "dpmsolver++")
    // `deis` stands for dpmsolver++ there too.
    guard algorithm == "dpmsolver++" || algorithm == "deis" else {
      throw settings.unsupported("algorithm_type", algorithm)
    }
    let variant: DPMSolverPlusPlus2M.Variant = try settings.choice(
      "solver_type", default: "midpoint",
      [
        "midpoint": .midpoint, "heun": .heun, "logrho": .midpoint, "bh1": .midpoint,
        "bh2": .midpoint,
      ])
    let lowersFinalOrder = try settings.bool("lower_order_final", default: true)
    let endsWithEuler = try settings.bool("euler_at_final")
    switch try settings.int("solver_order", default: 2) {
    case 1: return EulerSolver()
    case 2:
      return DPMSolverPlusPlus2M(
        variant: variant, lowersFinalOrder: lowersFinalOrder, endsWithEuler: endsWithEuler)
    case let order: throw settings.unsupported("solver_order", "\(order)")
    }
  }
}
