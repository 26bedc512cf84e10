enum UniPCMultistepScheduler: DiffusersScheduler {
  static let className = "UniPCMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    try settings.requireOff("thresholding")
    // Names of other solvers stand for bh2 there too.
    let variant = try settings.choice(
      "solver_type", default: "bh2",
      ["bh1": .bh1, "bh2": .bh2, "midpoint": .bh2, "heun": .bh2, "logrho": .bh2]
        as [String: UniPC.Variant])
    let solver = UniPC(
      order: try settings.order(), variant: variant,
      prediction: try settings.bool("predict_x0", default: true) ? .clean : .noise,
      uncorrected: Set(try settings.doubles("disable_corrector")?.map { Int($0) } ?? []),
      lowersFinalOrder: try settings.bool("lower_order_final", default: true))
    return try settings.logSNRSampler(solver: solver, final: try settings.finalLevel()) {
      (settings) throws(SamplingError) in try flow(&settings)
    }
  }

  /// Sigmas in equal steps, shifted, and kept from 1.
  private static func flow(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> any StepSpacing {
    let isDynamic = try settings.bool("use_dynamic_shifting")
    let mu = try settings.double("mu")
    let shift = TimeShift(try settings.double("flow_shift", default: 1))
    var spacing = ShiftedFlow(
      shift: mu.map { .exponential($0) } ?? shift,
      resolution: isDynamic && mu == nil ? ResolutionShift() : nil,
      end: 1 / Double(try settings.timesteps()), dropsLowest: true,
      terminal: try settings.double("shift_terminal").flatMap { $0 == 0 ? nil : $0 })
    if !isDynamic { spacing.shift = shift }
    return BelowPureNoise(base: spacing)
  }
}

/// A flow's levels with the first kept a millionth from pure noise, as that tool does.
private struct BelowPureNoise: StepSpacing {
  let base: any StepSpacing

  func adapted(tokens: Int) -> any StepSpacing {
    BelowPureNoise(base: base.adapted(tokens: tokens))
  }

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let distance = 1e-6
    return try base.levels(count: count, schedule: schedule).map { level in
      abs(level.noiseFraction - 1) < distance
        ? schedule.level(noiseFraction: level.noiseFraction - distance) : level
    }
  }
}
