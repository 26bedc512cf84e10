public import ItoComponents

/// Some of the timesteps that a few-step model was distilled at: `original` of them in equal distances from
/// the noisiest, of which every so many are used.
///
/// With T timesteps and k = ⌊T/original⌋, the model knows k − 1, 2k − 1, …; a run of n steps uses number
/// ⌊i·original/n⌋ from the noisiest.
/// - Source: Luo et al. 2023, *Latent Consistency Models*, arXiv:2310.04378, section 4.3; rounding as in
///   diffusers' schedulers.
public struct DistilledSpacing: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "distilled"
  /// What other tools call it.
  public static let aliases = ["lcm"]
  /// One line for tables.
  public static let summary = "some of the timesteps a few-step model was distilled at"

  /// Timesteps that the model was distilled at.
  public var original: Int
  /// Where the run ends.
  public var final: FinalLevel

  /// 50 timesteps and a clean end unless told otherwise.
  public init(original: Int = 50, final: FinalLevel = .zero) {
    self.original = original
    self.final = final
  }

  /// Takes the options `original`, `final`.
  public init(options: inout OptionReader) throws(OptionError) {
    original = try options.int("original", default: 50, in: 1...100_000)
    final = try options.choice("final", default: .zero)
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let total = schedule.divisions
    guard original <= total, count > 0, count <= original else {
      throw .invalidPlan(
        "\(count) steps of the \(original) that the model was distilled at, of \(total) timesteps")
    }
    let ratio = total / original
    let timesteps = (0..<count).map { i in
      let index = Int((Double(i) * (Double(original) / Double(count))).rounded(.down))
      return Double((original - index) * ratio - 1)
    }
    return timesteps.map { schedule.level(timestep: $0) } + [final.level(of: schedule)]
  }
}
