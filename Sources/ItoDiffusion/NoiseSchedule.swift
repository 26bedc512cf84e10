/// How alpha and sigma depend on time: 0 is without noise, 1 has the most.
public protocol NoiseSchedule: Sendable {
  /// The level at `time` ∈ [0, 1]; times outside are those of the ends.
  func level(at time: Double) -> NoiseLevel

  /// The level whose `sigma / alpha` is `ratio`; 0 gives `NoiseLevel.clean`, infinity pure noise.
  ///
  /// Alpha and sigma have that ratio exactly even where `ratio` is outside the schedule; the time is
  /// then that of its end.
  func level(noiseToSignal ratio: Double) -> NoiseLevel

  /// How many discrete timesteps the schedule was trained with; nil when time is continuous.
  var timestepCount: Int? { get }
}

extension NoiseSchedule {
  /// Nil: time is continuous.
  public var timestepCount: Int? { nil }

  /// Steps that discrete spacings divide time into: a continuous schedule counts as 1,000.
  var divisions: Int { timestepCount ?? 1000 }

  /// The level at a timestep, 0 to `timestepCount - 1`; fractions lie between timesteps.
  ///
  /// Timestep t is at time `(t + 1) / timestepCount`, so that time 0 is without noise.
  public func level(timestep: Double) -> NoiseLevel {
    level(at: (timestep + 1) / Double(divisions))
  }

  /// The level whose `sigma / (alpha + sigma)` is `fraction`, which is a flow's time; for 1 the noisiest
  /// there is, where a process does not reach pure noise.
  func level(noiseFraction fraction: Double) -> NoiseLevel {
    isFlow || fraction >= 1
      ? level(at: fraction) : level(noiseToSignal: fraction / (1 - fraction))
  }

  /// The level to train at for a uniform draw `u` ∈ [0, 1): discrete schedules give whole timesteps.
  public func trainingLevel(_ u: Double) -> NoiseLevel {
    guard let count = timestepCount else { return level(at: u) }
    return level(timestep: Double(min(count - 1, Int(u * Double(count)))))
  }

  /// Whether `alpha + sigma` is 1 everywhere, as for a straight flow from data to noise.
  var isFlow: Bool {
    [0.25, 0.5, 0.75].allSatisfy { time in
      let level = level(at: time)
      return abs(level.alpha + level.sigma - 1) < 1e-9
    }
  }
}

extension NoiseSchedule {
  /// Found by bisection over time, to double precision.
  ///
  /// - Cost: 60 levels.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    if ratio <= 0 { return .clean }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if level(at: middle).noiseToSignal < ratio { low = middle } else { high = middle }
    }
    var found = level(at: high)
    // The ratio exactly, at the magnitude that the schedule has there.
    let magnitude = (found.alpha * found.alpha + found.sigma * found.sigma).squareRoot()
    let unit = NoiseLevel(time: high, noiseToSignal: ratio)
    found.alpha = magnitude * unit.alpha
    found.sigma = magnitude * unit.sigma
    return found
  }
}
