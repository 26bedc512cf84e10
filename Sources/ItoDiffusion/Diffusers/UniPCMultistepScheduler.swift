enum UniPCMultistepScheduler: DiffusersScheduler {
  static let className = "UniPCMultistepScheduler"

  static func configuration(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> SamplerConfiguration {
    let limit = try settings.estimateLimit()
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
    // Noise estimates are not thresholded there.
    return try settings.logSNRSampler(
      solver: solver.limited(to: solver.prediction == .clean ? limit : nil),
      final: try settings.finalLevel()
    ) { (settings) throws(SamplingError) in try flow(&settings) }
  }

  /// Sigmas in equal steps, shifted, and kept from 1.
  private static func flow(
    _ settings: inout SchedulerSettings
  ) throws(SamplingError) -> any StepSpacing {
    if try settings.bool("use_karras_sigmas") {
      return OfAnotherProcess(
        base: KarrasSpacing(
          range: NoiseRange(
            minimum: try settings.double("sigma_min"), maximum: try settings.double("sigma_max"))),
        process: try settings.betaSchedule(floorsTerminal: true))
    }
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

/// Levels at the sigma/alpha that a spacing gives on another process.
private struct OfAnotherProcess: StepSpacing {
  let base: any StepSpacing
  let process: any NoiseSchedule

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    try base.levels(count: count, schedule: process).map {
      schedule.level(noiseToSignal: $0.noiseToSignal)
    }
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
