/// A spacing of its own over the range of noise that another spacing covers.
///
/// The values in between are those of `sigma / alpha`, or of sigma for a flow, where the ratio is
/// infinite at the noisy end.
protocol RangeSpacing: StepSpacing {
  /// What the levels lie in, and where the run ends.
  var range: NoiseRange { get set }
  /// The value at `fraction` ∈ [0, 1] of the way from `maximum` to `minimum`.
  func value(at fraction: Double, from maximum: Double, to minimum: Double) -> Double
}

extension RangeSpacing {
  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let outer = try range.base.levels(count: count, schedule: schedule)
    let isFlow = schedule.isFlow
    func coordinate(_ level: NoiseLevel) -> Double { isFlow ? level.sigma : level.noiseToSignal }
    guard let noisiest = outer.first, let final = outer.last, outer.count == count + 1 else {
      throw .invalidPlan("\(count) steps; at least 1 is needed")
    }
    let high = range.maximum ?? coordinate(noisiest)
    let low = range.minimum ?? coordinate(outer[count - 1])
    guard high.isFinite, low > 0, low <= high, !isFlow || high <= 1 else {
      throw .invalidPlan(
        "sigma from \(low) to \(high) cannot be spaced; set sigma-min above 0 and sigma-max to "
          + (isFlow ? "at most 1" : "a finite value"))
    }
    let values = linspace(0, 1, count).map { value(at: $0, from: high, to: low) }
    return values.map { isFlow ? schedule.level(at: $0) : schedule.level(noiseToSignal: $0) }
      + [final]
  }

  /// The spacing for a picture of that many tokens.
  public func adapted(tokens: Int) -> any StepSpacing {
    var copy = self
    copy.range.base = range.base.adapted(tokens: tokens)
    return copy
  }

  /// The targets of the base do not apply to other levels.
  public func targets(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel]? { nil }
}
