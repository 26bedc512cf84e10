public import ItoComponents

/// FastDPM's VAR mapping: a shorter chain with variances of its own, each put where the model's process has
/// that noise.
///
/// The chain of n steps has β in equal steps (`linear`) or in equal steps of √β (`quadratic`), scaled so that
/// it ends at the noise of the schedule's noisiest level; its levels are found on the schedule by their
/// sigma/alpha, between timesteps.
/// - Source: Kong & Ping 2021, *On Fast Sampling of Diffusion Probabilistic Models*, arXiv:2106.00132,
///   section 3 and algorithm 1. Differs: the ends of β are 1e-4 and a multiple found by bisection.
public struct VarianceSpacing: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "fastdpm-variance"
  /// What other tools call it.
  public static let aliases = ["var"]
  /// One line for tables.
  public static let summary = "FastDPM's shorter chain with variances of its own"

  /// How β rises along the short chain.
  public enum Rise: String, Sendable, Hashable, CaseIterable {
    case linear, quadratic
  }

  /// How β rises along the short chain.
  public var rise: Rise

  /// Linear unless told otherwise.
  public init(rise: Rise = .linear) { self.rise = rise }

  /// Takes the option `rise`.
  public init(options: inout OptionReader) throws(OptionError) {
    rise = try options.choice("rise", default: .linear)
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    let noisiest = schedule.level(at: 1)
    let unit = NoiseLevel(time: 1, noiseToSignal: min(noisiest.noiseToSignal, 1e3))
    let target = unit.alpha * unit.alpha
    var (low, high) = (0.0, 0.999)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if (chain(count, last: middle).last ?? 0) > target { low = middle } else { high = middle }
    }
    let levels = chain(count, last: high).map { alphaBar in
      schedule.level(noiseToSignal: ((1 - alphaBar) / alphaBar).squareRoot())
    }
    // The noisiest is the schedule's own, which may be pure noise.
    return [noisiest] + levels.reversed().dropFirst() + [.clean]
  }

  /// ᾱ along a chain of `count` steps whose β ends at `last`.
  private func chain(_ count: Int, last: Double) -> [Double] {
    let first = min(1e-4, last)
    let betas =
      rise == .linear
      ? linspace(first, last, count)
      : linspace(first.squareRoot(), last.squareRoot(), count).map { $0 * $0 }
    var product = 1.0
    // A chain of one step goes all the way.
    return (count == 1 ? [last] : betas).map {
      product *= 1 - $0
      return product
    }
  }
}
