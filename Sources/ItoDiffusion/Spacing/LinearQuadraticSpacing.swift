public import ItoComponents

/// Small equal steps from pure noise, then steps that grow quadratically.
///
/// With n steps, m = ⌊n/2⌋ of them equal, and θ the threshold, 1 − sigma is `i·θ/m` for i ≤ m and beyond it
/// the parabola that goes on smoothly and reaches 1 at i = n. On a process that is not a flow the values
/// are fractions of its greatest sigma/alpha.
/// - Source: Genmo 2024, Mochi 1, published inference code; Polyak et al. 2024, *Movie Gen*,
///   arXiv:2410.13720, section 3.4.2.
public struct LinearQuadraticSpacing: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "linear-quadratic"
  /// One line for tables.
  public static let summary = "small equal steps from noise, then quadratic growth"

  /// θ, how much noise the equal steps take away.
  public var threshold: Double

  /// A threshold of 0.025 unless told otherwise.
  public init(threshold: Double = 0.025) { self.threshold = threshold }

  /// Takes the option `threshold`.
  public init(options: inout OptionReader) throws(OptionError) {
    threshold = try options.double("threshold", default: 0.025, in: 1e-4...0.5)
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    let isFlow = schedule.isFlow
    let greatest = isFlow ? 1 : schedule.level(at: 1).noiseToSignal
    guard greatest.isFinite else {
      throw .invalidPlan("linear-quadratic spacing needs a finite sigma/alpha to start from")
    }
    return values(count).map { value in
      isFlow ? schedule.level(at: value) : schedule.level(noiseToSignal: value * greatest)
    } + [.clean]
  }

  /// Sigma as a share of the greatest, falling from 1.
  private func values(_ count: Int) -> [Double] {
    guard count > 1 else { return [1] }
    let equal = Double(count / 2), n = Double(count)
    let slope = threshold / equal
    // The parabola meets the line with its slope and reaches 1 at n.
    let rest = n - equal
    let bend = (1 - threshold - slope * rest) / (rest * rest)
    return (0..<count).map { i in
      let beyond = max(0, Double(i) - equal)
      return 1 - (slope * Double(i) + bend * beyond * beyond)
    }
  }
}
