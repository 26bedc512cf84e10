public import ItoComponents

/// A straight line from data to noise: `x = (1 − time)·clean + time·noise`.
///
/// A resolution's shift towards more noise belongs to the spacing of the steps (`ShiftedFlow`) and to
/// the times that training draws (`TimeShift`), not here: what the network is told is sigma.
///
/// - Source: Liu et al. 2023, *Flow Straight and Fast*, arXiv:2209.03003, equation 1; Lipman et al.
///   2023, *Flow Matching for Generative Modeling*, arXiv:2210.02747.
public struct RectifiedFlow: NoiseSchedule, Configurable {
  /// Its name in the registry.
  public static let name = "rectified-flow"
  /// What other tools call it.
  public static let aliases = ["flow", "flow-match", "flow-matching", "rf"]
  /// One line for tables.
  public static let summary = "a straight line from data to noise"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The level at `time`.
  public func level(at time: Double) -> NoiseLevel {
    let time = min(max(time, 0), 1)
    return NoiseLevel(time: time, alpha: 1 - time, sigma: time)
  }

  /// The level with exactly this ratio.
  public func level(noiseToSignal ratio: Double) -> NoiseLevel {
    level(at: ratio.isFinite ? ratio / (1 + ratio) : 1)
  }
}
