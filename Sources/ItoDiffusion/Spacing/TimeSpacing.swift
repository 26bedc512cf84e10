import ItoComponents

/// Timesteps chosen by a rule of their own, for the spacings that the tools offer by name.
///
/// With T timesteps (1,000 for a process of continuous time) and n steps, step i starts at
/// - `simple`: T − 1 − ⌊i·T/n⌋;
/// - `sgm-uniform`: (T − 1)·(1 − i/n), fractions kept;
/// - `beta`: the quantile 1 − i/n of Beta(α, β) times T − 1, rounded; a timestep that comes twice is used
///   once, so that the run may have fewer steps;
/// - `cosine`: (T − 1)·cos²(πi/2n): finer at both ends;
/// - `smoothstep`: (T − 1)·u²·(3 − 2u) with u = 1 − i/n, rounded: nearly the same;
/// - `quadratic` and `linear`: FastDPM's STEP mapping, `((T − 1)·(1 − i/n))` rounded, or the square of equal
///   steps in its root.
/// - Source: `simple`, `sgm-uniform`, `beta`: ComfyUI; beta: Lee et al. 2024, arXiv:2407.12173; `smoothstep`: stable-diffusion.cpp; FastDPM: Kong &
///   Ping 2021, arXiv:2106.00132, section 3.
public struct TimeSpacing: StepSpacing, Hashable {
  /// The rule.
  public enum Rule: Sendable, Hashable {
    case simple, sgmUniform, cosine, smoothstep, stepLinear, stepQuadratic
    case beta(BetaDistribution)
  }

  /// The rule.
  public var rule: Rule
  /// Where the run ends.
  public var final: FinalLevel

  /// A spacing by `rule` with a clean end unless told otherwise.
  public init(_ rule: Rule, final: FinalLevel = .zero) {
    self.rule = rule
    self.final = final
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let total = schedule.divisions
    guard count > 0, count <= total else {
      throw .invalidPlan("\(count) steps; the schedule allows 1 to \(total)")
    }
    var timesteps: [Double] = []
    for i in 0..<count {
      let timestep = timestep(Double(i) / Double(count), i, count, total)
      if timestep != timesteps.last { timesteps.append(timestep) }
    }
    return timesteps.map { schedule.level(timestep: $0) } + [final.level(of: schedule)]
  }

  private func timestep(_ fraction: Double, _ i: Int, _ count: Int, _ total: Int) -> Double {
    let last = Double(total - 1)
    switch rule {
    case .simple: return last - (Double(i) * (Double(total) / Double(count))).rounded(.down)
    case .sgmUniform: return last * (1 - fraction)
    case .cosine:
      let root = sine((1 - fraction) * Double.pi / 2)
      return last * root * root
    case .smoothstep:
      let u = 1 - fraction
      return (last * u * u * (3 - 2 * u)).rounded(.toNearestOrEven)
    case .stepLinear: return (last * (1 - fraction)).rounded(.toNearestOrEven)
    case .stepQuadratic: return (last * (1 - fraction) * (1 - fraction)).rounded(.toNearestOrEven)
    case .beta(let distribution):
      return (distribution.quantile(1 - fraction) * last).rounded(.toNearestOrEven)
    }
  }

  /// The rules by name.
  static let entries: [Registry<any StepSpacing>.Entry] = [
    entry(.simple, "simple", [], "every so many timesteps from the noisiest"),
    entry(
      .sgmUniform, "sgm-uniform", ["sgm"], "timesteps in equal steps, the least noisy left out"),
    entry(.cosine, "cosine", [], "timesteps finer at both ends"),
    entry(.smoothstep, "smoothstep", [], "timesteps finer at both ends, by a cubic"),
    entry(.stepLinear, "fastdpm-linear", ["step-linear"], "FastDPM's equal timesteps"),
    entry(
      .stepQuadratic, "fastdpm-quadratic", ["quadratic", "step-quadratic"],
      "FastDPM's timesteps, finer at low noise"),
    Registry<any StepSpacing>.Entry(
      name: "beta", summary: "quantiles of a beta distribution over timesteps"
    ) { (options) throws(OptionError) in
      TimeSpacing(
        .beta(try BetaDistribution(options: &options)),
        final: try options.choice("final", default: .zero))
    },
  ]

  private static func entry(
    _ rule: Rule, _ name: String, _ aliases: [String], _ summary: String
  ) -> Registry<any StepSpacing>.Entry {
    Registry<any StepSpacing>.Entry(name: name, aliases: aliases, summary: summary) {
      (options) throws(OptionError) in
      TimeSpacing(rule, final: try options.choice("final", default: .zero))
    }
  }
}
