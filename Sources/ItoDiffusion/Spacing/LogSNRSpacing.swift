public import ItoComponents

/// Equal steps in log-SNR on every process.
///
/// `λᵢ = λ₀ + i/(n−1)·(λ_last − λ₀)`, λ = log(alpha/sigma), between the schedule's noisiest level and its
/// least noisy timestep. Where log-SNR is infinite it starts at pure noise, then goes on from
/// the level whose sigma/(alpha + sigma) is 1 − `margin`.
/// - Source: Lu et al. 2022, *DPM-Solver*, arXiv:2206.00927, section 3.4 and appendix D.4.
public struct LogSNRSpacing: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "log-snr"
  /// What other tools call it.
  public static let aliases = ["logsnr", "lambda"]
  /// One line for tables.
  public static let summary = "equal steps in log-SNR on every process"

  /// How far from pure noise equal steps begin where they cannot begin there.
  public var margin: Double
  /// Where the run ends.
  public var final: FinalLevel

  /// A margin of 0.02 and a clean end unless told otherwise.
  public init(margin: Double = 0.02, final: FinalLevel = .zero) {
    self.margin = margin
    self.final = final
  }

  /// Takes the options `margin`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    margin = try options.double("margin", default: 0.02, in: 1e-6...0.5)
    final = try options.choice("final", default: .zero)
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    let end = [final.level(of: schedule)]
    let noisiest = schedule.level(at: 1)
    if noisiest.alpha > 0 {
      return equal(from: noisiest, count: count, schedule) + end
    }
    let next = schedule.level(noiseFraction: 1 - margin)
    return [noisiest] + (count > 1 ? equal(from: next, count: count - 1, schedule) : []) + end
  }

  private func equal(
    from noisiest: NoiseLevel, count: Int, _ schedule: some NoiseSchedule
  ) -> [NoiseLevel] {
    let lowest = FinalLevel.lowest.level(of: schedule).halfLogSNR
    let values = linspace(noisiest.halfLogSNR, lowest, count)
    return values.map { schedule.level(noiseToSignal: exponential(-$0)) }
  }
}
