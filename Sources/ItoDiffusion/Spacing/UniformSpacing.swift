public import ItoComponents

/// Timesteps in equal distances, by one of the three conventions in use.
///
/// With T timesteps and n steps: `linspace` from T−1 down to 0, both included; `leading` the multiples
/// of ⌊T/n⌋ below T plus `offset`, which leaves out the noisiest; `trailing` T−1, T−1−T/n, …, rounded.
/// A schedule of continuous time counts as T = 1,000, so that `linspace` runs from time 1 to 0.001 and
/// `trailing` from 1 to 1/n.
///
/// - Source: Lin et al. 2023, arXiv:2305.08891, table 2; rounding as in diffusers' schedulers.
public struct UniformSpacing: StepSpacing, Hashable {
  /// Which timesteps.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case linspace, leading, trailing
  }

  /// Which timesteps.
  public var kind: Kind
  /// Added to `leading` timesteps; models trained from timestep 1 on use 1.
  public var offset: Int
  /// Whether `linspace` is rounded to whole timesteps.
  public var isRounded: Bool
  /// Whether n + 1 timesteps are spread and the last one dropped (`linspace`, `leading`), as the
  /// DPM-Solver family does.
  public var dropsLowest: Bool
  /// How many of the schedule's timesteps are used, when not all: the noisiest are left out.
  public var limit: Int?
  /// Where the run ends.
  public var final: FinalLevel
  /// Whether each step aims T/n timesteps below its start, even where the next step starts
  /// elsewhere because of rounding, as diffusers' DDIM does.
  public var hasFixedStride: Bool

  /// A spacing of `kind`; the rest as documented at the properties.
  public init(
    _ kind: Kind = .linspace, offset: Int = 0, isRounded: Bool = false, dropsLowest: Bool = false,
    limit: Int? = nil, final: FinalLevel = .zero, hasFixedStride: Bool = false
  ) {
    self.kind = kind
    self.offset = offset
    self.isRounded = isRounded
    self.dropsLowest = dropsLowest
    self.limit = limit
    self.final = final
    self.hasFixedStride = hasFixedStride
  }

  /// Takes `offset`, `rounded`, `drop-lowest` and `final`.
  public init(_ kind: Kind, options: inout OptionReader) throws(OptionError) {
    self.init(
      kind, offset: try options.int("offset", default: 0, in: 0...1000),
      isRounded: try options.bool("rounded", default: false),
      dropsLowest: try options.bool("drop-lowest", default: false),
      final: try options.choice("final", default: .zero))
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    let timesteps = try timesteps(count: count, of: schedule.divisions)
    return timesteps.map { schedule.level(timestep: $0) } + [final.level(of: schedule)]
  }

  /// Where the steps aim, if not at the next start.
  public func targets(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel]? {
    guard hasFixedStride else { return nil }
    let stride = Double(schedule.divisions / count)
    return try timesteps(count: count, of: schedule.divisions).map { timestep in
      timestep >= stride
        ? schedule.level(timestep: timestep - stride) : final.level(of: schedule)
    }
  }

  /// `count` timesteps of `total`, falling.
  func timesteps(count: Int, of total: Int) throws(SamplingError) -> [Double] {
    let highest = limit ?? total
    guard count > 0, count <= highest else {
      throw .invalidPlan("\(count) steps; the schedule allows 1 to \(highest)")
    }
    let points = dropsLowest ? count + 1 : count
    var timesteps: [Double]
    switch kind {
    case .linspace:
      // One step alone starts from the noisiest timestep. Differs: diffusers then takes timestep 0.
      timesteps =
        points == 1
        ? [Double(highest - 1)] : linspace(0, Double(highest - 1), points).reversed()
      if isRounded { timesteps = timesteps.map { $0.rounded(.toNearestOrEven) } }
    case .leading:
      let ratio = highest / points
      timesteps = (0..<points).reversed().map { Double($0 * ratio + offset) }
    case .trailing:
      // Formed as NumPy's arange does, since some values are on the edge between two timesteps.
      let start = Double(highest)
      let delta = (start - Double(total) / Double(count)) - start
      timesteps = (0..<count).map { i in
        (start + Double(i) * delta).rounded(.toNearestOrEven) - 1
      }
    }
    timesteps = Array(timesteps.prefix(count))
    guard let first = timesteps.first, first <= Double(total - 1) else {
      throw .invalidPlan(
        "\(count) leading steps with offset \(offset) pass the end of \(total) timesteps; "
          + "use fewer steps or trailing spacing")
    }
    return timesteps
  }
}
