public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A quarter turn from data to noise of the data's deviation d: `x = cos θ·clean + d·sin θ·noise`, θ from 0
/// at time 0 to a right angle at time 1.
///
/// - Source: Lu & Song 2024, *Simplifying, Stabilizing and Scaling Continuous-Time Consistency Models*
///   (TrigFlow), arXiv:2410.11081, section 3. With d = 1: Salimans & Ho 2022, arXiv:2202.00512, appendix D.
public struct TrigonometricFlow: NoiseSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "trigflow"
  /// What other tools call it.
  public static let aliases = ["trigonometric", "scm"]
  /// One line for tables.
  public static let summary = "a quarter turn from data to noise (TrigFlow)"

  /// Standard deviation of the data.
  public let dataDeviation: Double

  /// For data of deviation 0.5 unless told otherwise.
  public init(dataDeviation: Double = 0.5) { self.dataDeviation = dataDeviation }

  /// Takes the option `data-deviation`.
  public init(options: inout OptionReader) throws(OptionError) {
    dataDeviation = try options.double("data-deviation", default: 0.5, in: 1e-6...1e6)
  }

  /// The level at `time`.
  public func level(at time: Double) -> NoiseLevel {
    let time = min(max(time, 0), 1)
    if time == 1 { return NoiseLevel(time: 1, alpha: 0, sigma: dataDeviation) }
    let angle = time * Double.pi / 2
    return NoiseLevel(time: time, alpha: cos(angle), sigma: dataDeviation * sin(angle))
  }

  /// The level with exactly this ratio.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    guard ratio > 0 else { return .clean }
    guard ratio.isFinite else { return level(at: 1) }
    let angle = atan(ratio / dataDeviation)
    return NoiseLevel(
      time: angle / (Double.pi / 2), alpha: cos(angle), sigma: dataDeviation * sin(angle))
  }
}
