/// How the levels of a run are chosen.
public protocol StepSpacing: Sendable {
  /// `count + 1` levels with noise falling: where each step starts, and where the last one ends.
  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel]

  /// `count` levels at which the steps aim, when those are not where the next step starts.
  func targets(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel]?

  /// The spacing for a picture of `tokens` tokens, for spacings that depend on it.
  func adapted(tokens: Int) -> any StepSpacing
}

extension StepSpacing {
  /// Nil: each step aims at the start of the next.
  public func targets(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel]? { nil }

  /// The spacing itself: it is the same for all sizes.
  public func adapted(tokens: Int) -> any StepSpacing { self }
}

/// Where a run ends.
public enum FinalLevel: String, Sendable, Hashable, CaseIterable {
  /// Without noise: the last step gives the clean estimate.
  case zero
  /// At the least noise of the schedule: its first timestep, or time 0 where that has noise.
  case lowest = "sigma-min"

  func level(of schedule: some NoiseSchedule) -> NoiseLevel {
    if self == .zero { return .clean }
    // Some schedules have noise at time 0 already.
    let first = schedule.level(at: 0)
    return first.sigma > 0 ? first : schedule.level(timestep: 0)
  }
}

/// `count` values from `start` to `end` in equal steps, both included; `start` when there is one.
///
/// The products are formed as NumPy does, so that what is rounded afterwards is rounded alike.
func linspace(_ start: Double, _ end: Double, _ count: Int) -> [Double] {
  guard count > 1 else { return [start] }
  let step = (end - start) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? end : Double($0) * step + start }
}
