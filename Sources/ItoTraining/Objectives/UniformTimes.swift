public import ItoComponents
public import ItoDiffusion

/// Every time of the schedule as often as another; whole timesteps on discrete schedules.
///
/// - Source: Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, arXiv:2006.11239,
///   algorithm 1.
public struct UniformTimes: TimeSampling, Configurable {
  /// `uniform`
  public static let name = "uniform"
  /// What it does.
  public static let summary = "every time as often as another"

  /// The one uniform sampling.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// The level at time `quantile`.
  public func level(at quantile: Double, on schedule: any NoiseSchedule) -> NoiseLevel {
    schedule.trainingLevel(quantile)
  }
}
