// What families of scheduler classes share.

extension SchedulerSettings {
  /// The schedulers in the manner of k-diffusion, whose samples are divided by alpha.
  ///
  /// - Parameter roundsKarras: whether a network is told whole timesteps with Karras sigmas.
  mutating func sigmaSampler(
    start: Double, end: Double, solver: any Solver, roundsKarras: Bool = false
  ) throws(SamplingError) -> SamplerConfiguration {
    let kind = try spacingKind(default: .linspace)
    let schedule = try betaSchedule(start: start, end: end, floorsTerminal: true)
    var spacing = try respaced(
      UniformSpacing(kind, offset: try int("steps_offset", default: 0)))
    if roundsKarras, spacing is KarrasSpacing { spacing = WholeTimesteps(base: spacing) }
    var configuration = SamplerConfiguration(
      schedule: schedule,
      parameterization: try parameterization(time: .timestep(try timesteps())), spacing: spacing,
      solver: solver, initialScale: kind == .leading ? .deviation : .sigma)
    configuration.keepsAlphaAtOne = true
    return configuration
  }

  /// The schedulers of the DPM-Solver family: n + 1 timesteps of which the last is dropped, or sigmas over
  /// the whole schedule, or those of a flow.
  ///
  /// - Parameters:
  ///   - roundsCosine: whether timesteps of Karras sigmas are rounded on the cosine schedule too.
  ///   - flow: the sigmas of a flow.
  mutating func logSNRSampler(
    solver: any Solver, final: FinalLevel, roundsCosine: Bool = true,
    flow: (inout SchedulerSettings) throws(SamplingError) -> any StepSpacing
  ) throws(SamplingError) -> SamplerConfiguration {
    if try bool("use_flow_sigmas") {
      guard final == .zero else { throw unsupported("final_sigmas_type", "sigma_min") }
      // There they are taken over the range of the other process, where they are no levels of a flow.
      try requireOff("use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
      return SamplerConfiguration(
        schedule: RectifiedFlow(),
        parameterization: try parameterization(
          time: .scaled(Double(try timesteps()), rounding: .down)),
        spacing: try flow(&self), solver: solver)
    }
    let schedule = try betaSchedule(floorsTerminal: true)
    let lowestLambda = try double("lambda_min_clipped", default: -.infinity)
    let base = UniformSpacing(
      try spacingKind(default: .linspace), offset: try int("steps_offset", default: 0),
      isRounded: true, dropsLowest: true,
      limit: Self.timesteps(of: schedule, above: lowestLambda), final: final)
    // Karras, exponential and beta sigmas span the whole schedule, not the timesteps chosen above.
    let whole = UniformSpacing(final: final)
    let isLogarithmic = try bool("use_lu_lambdas")
    let spacing =
      isLogarithmic ? ExponentialSpacing(range: NoiseRange(base: whole)) : try respaced(whole)
    let isRounded =
      (spacing is KarrasSpacing || isLogarithmic) && (roundsCosine || !(schedule is CosineBeta))
    let time = ConditioningTime.timestep(
      try timesteps(), rounding: spacing is UniformSpacing || isRounded ? .nearest : .down)
    return SamplerConfiguration(
      schedule: schedule, parameterization: try parameterization(time: time),
      spacing: spacing is UniformSpacing ? base : spacing, solver: solver)
  }

  /// How many timesteps have a half-log-SNR of at least `lambda`; nil when all have.
  private static func timesteps(of schedule: any TabulatedSchedule, above lambda: Double) -> Int? {
    guard lambda > -.infinity, let count = schedule.timestepCount else { return nil }
    return (0..<count).count { schedule.level(timestep: Double($0)).halfLogSNR >= lambda }
  }

  /// Sigmas of a flow as the DPM-Solver family has them.
  ///
  /// - Parameter endsAtLast: whether the last sigma is repeated rather than followed by 0.
  mutating func multistepFlow(endsAtLast: Bool = false) throws(SamplingError) -> any StepSpacing {
    try requireOff("use_karras_sigmas")
    var spacing = MultistepFlow(
      shift: TimeShift(try double("flow_shift", default: 1)), timesteps: try timesteps(),
      endsAtLast: endsAtLast)
    if try bool("use_dynamic_shifting") {
      if let mu = try double("mu") {
        spacing.shift = .exponential(mu)
      } else {
        spacing.resolution = ResolutionShift()
      }
    }
    return spacing
  }
}

/// Levels at the sigmas of another spacing, of which a network is told whole timesteps.
private struct WholeTimesteps: StepSpacing {
  let base: any StepSpacing

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let divisions = Double(schedule.divisions)
    return try base.levels(count: count, schedule: schedule).map { level in
      var level = level
      level.time = (level.time * divisions).rounded(.toNearestOrEven) / divisions
      return level
    }
  }
}
