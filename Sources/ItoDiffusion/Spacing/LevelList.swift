public import ItoComponents

/// Levels given one by one: sigmas (sigma/alpha, or those of a flow) or timesteps.
///
/// With `resample`, or when another number of steps is asked for, sigmas are interpolated linearly in their
/// logarithm over the index, the last finite one included. The run ends without noise unless the list ends
/// with `final`.
public struct LevelList: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "custom"
  /// What other tools call it.
  public static let aliases = ["manual", "list"]
  /// One line for tables.
  public static let summary = "sigmas or timesteps given one by one"

  /// What the values are.
  public enum Kind: Sendable, Hashable {
    /// sigma/alpha, or sigma where the schedule is a flow.
    case sigmas
    case timesteps
  }

  /// What the values are.
  public let kind: Kind
  /// Falling; a last sigma of 0 is the end.
  public let values: [Double]

  /// The levels of the given values, falling.
  public init(_ kind: Kind, _ values: [Double]) throws(SamplingError) {
    let isFalling = Swift.zip(values, values.dropFirst()).allSatisfy { $0 > $1 }
    guard values.count > 0, isFalling, values.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw .invalidPlan("the list \(values) is not falling, or has values below 0")
    }
    self.kind = kind
    self.values = values
  }

  /// The sigmas of `levels`, as found for a model of `schedule`.
  public init(_ levels: [NoiseLevel], of schedule: some NoiseSchedule) throws(SamplingError) {
    let isFlow = schedule.isFlow
    guard levels.allSatisfy({ isFlow || $0.alpha > 0 }) else {
      throw .invalidPlan("pure noise has no finite sigma/alpha")
    }
    try self.init(.sigmas, levels.map { isFlow ? $0.sigma : $0.noiseToSignal })
  }

  /// How a user asks for it.
  public var choice: ComponentChoice {
    ComponentChoice(
      Self.name,
      options: [kind == .sigmas ? "sigmas" : "timesteps": .list(values.map { .double($0) })])
  }

  /// Takes the options `sigmas` or `timesteps`.
  public init(options: inout OptionReader) throws(OptionError) {
    let sigmas = try options.doubles("sigmas"), timesteps = try options.doubles("timesteps")
    guard let values = sigmas ?? timesteps else { throw .missing(key: "sigmas") }
    do throws(SamplingError) {
      try self.init(sigmas != nil ? .sigmas : .timesteps, values)
    } catch {
      throw .invalidValue(
        key: sigmas != nil ? "sigmas" : "timesteps", value: "\(values)",
        allowed: "numbers from 0 that fall")
    }
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    switch kind {
    case .timesteps:
      guard count == values.count, let first = values.first,
        first <= Double(schedule.divisions - 1)
      else {
        throw .invalidPlan(
          "\(count) steps from a list of \(values.count) timesteps, the greatest "
            + "\(values.first ?? 0) of \(schedule.divisions)")
      }
      return values.map { schedule.level(timestep: $0) } + [.clean]
    case .sigmas:
      let endsClean = values.last == 0
      let knots = endsClean ? Array(values.dropLast()) : values
      let wanted = count == knots.count ? knots : resampled(knots, count: count)
      let isFlow = schedule.isFlow
      guard !isFlow || (wanted.first ?? 0) <= 1 else {
        throw .invalidPlan("a flow's sigmas are at most 1, and the list starts at \(wanted[0])")
      }
      return wanted.map { isFlow ? schedule.level(at: $0) : schedule.level(noiseToSignal: $0) }
        + [.clean]
    }
  }
}

/// `count` values from the first of `knots` to the last, their logarithms interpolated linearly over the
/// index.
///
/// - Source: Sabour et al. 2024, *Align Your Steps*, arXiv:2404.14507, appendix B.
func resampled(_ knots: [Double], count: Int) -> [Double] {
  guard knots.count > 1 else { return [Double](repeating: knots.first ?? 1, count: count) }
  return linspace(0, Double(knots.count - 1), count).map { position in
    let below = min(Int(position), knots.count - 2)
    let fraction = position - Double(below)
    return exponential(
      (1 - fraction) * logarithm(knots[below]) + fraction * logarithm(knots[below + 1]))
  }
}
