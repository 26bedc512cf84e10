public import ItoTensors

/// The levels of a run, explicit: custom sigmas are just levels.
public struct SamplingPlan: Sendable {
  /// Where each step starts, and where the last one ends: one more than there are steps.
  public var levels: [NoiseLevel]
  /// Where each step aims, when that is not the start of the next; one per step.
  public var targets: [NoiseLevel]?
  /// The schedule, for solvers that evaluate between the levels.
  public var schedule: any NoiseSchedule

  /// A plan of the given levels.
  public init(levels: [NoiseLevel], targets: [NoiseLevel]? = nil, schedule: any NoiseSchedule) {
    self.levels = levels
    self.targets = targets
    self.schedule = schedule
  }

  /// `steps` steps as `spacing` lays them on `schedule`.
  public init(
    steps: Int, spacing: some StepSpacing, schedule: some NoiseSchedule
  ) throws(SamplingError) {
    guard steps > 0 else { throw .invalidPlan("\(steps) steps; at least 1 is needed") }
    levels = try spacing.levels(count: steps, schedule: schedule)
    targets = try spacing.targets(count: steps, schedule: schedule)
    self.schedule = schedule
  }

  /// Number of steps.
  public var stepCount: Int { max(0, levels.count - 1) }

  /// Where step `index` starts and where it aims.
  public func step(_ index: Int) -> (current: NoiseLevel, next: NoiseLevel) {
    (levels[index], targets?[index] ?? levels[index + 1])
  }

  /// The last `strength` of the steps, for a run that starts from a given picture.
  ///
  /// - Parameter strength: 1 keeps all, 0 none; the number of steps is rounded down, as diffusers
  ///   does.
  public func trimmed(strength: Double) -> SamplingPlan {
    let kept = Int(Double(stepCount) * min(max(strength, 0), 1))
    return SamplingPlan(
      levels: Array(levels.suffix(kept + 1)), targets: targets.map { Array($0.suffix(kept)) },
      schedule: schedule)
  }
}

extension NoiseLevel {
  /// A sample at this level: `alpha·clean + sigma·noise`.
  public func mix(clean: Tensor, noise: Tensor) -> Tensor {
    Tensor.linearCombination([(alpha, clean), (sigma, noise)])
  }
}
