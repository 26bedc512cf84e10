public import ItoComponents

/// Equal steps in the time of a flow, shifted towards the noisy end.
///
/// The shift is fixed, or grows with the picture when `resolution` is given. On a schedule that is not
/// a flow, the times are the fractions `sigma / (alpha + sigma)`, scaled so that 1 is its noisiest level.
///
/// - Source: Esser et al. 2024, arXiv:2403.03206, equation 23; terminal stretch: LTX-Video, published
///   inference code.
public struct ShiftedFlow: StepSpacing, Hashable, Configurable {
  /// Its name in the registry.
  public static let name = "flow"
  /// What other tools call it.
  public static let aliases = ["shifted-flow", "shift"]
  /// One line for tables.
  public static let summary = "equal steps in flow time, shifted towards noise"

  /// The shift, unless `resolution` is used.
  public var shift: TimeShift
  /// The shift by resolution; applied by `adapted(tokens:)`.
  public var resolution: ResolutionShift?
  /// The first time before shifting.
  public var start: Double
  /// The last time before shifting.
  public var end: Double
  /// Whether n + 1 times are spread and the last one dropped.
  public var dropsLowest: Bool
  /// Where the last time is stretched to after shifting, if it is.
  public var terminal: Double?

  /// From time 1 to 0.001 without a shift unless told otherwise.
  public init(
    shift: TimeShift = .none, resolution: ResolutionShift? = nil, start: Double = 1,
    end: Double = 0.001, dropsLowest: Bool = false, terminal: Double? = nil
  ) {
    self.shift = shift
    self.resolution = resolution
    self.start = start
    self.end = end
    self.dropsLowest = dropsLowest
    self.terminal = terminal
  }

  /// Takes the options `shift`, `resolution`, `start`, `end`, `drop-lowest`, `terminal`.
  public init(options: inout OptionReader) throws(OptionError) {
    self.init(
      shift: TimeShift(try options.double("shift", default: 1, in: 1e-3...1000)),
      resolution: try options.bool("resolution", default: false) ? ResolutionShift() : nil,
      start: try options.double("start", default: 1, in: 0...1),
      end: try options.double("end", default: 0.001, in: 0...1),
      dropsLowest: try options.bool("drop-lowest", default: false),
      terminal: try options.double("terminal", in: 0...1))
    guard start > end else {
      throw .invalidValue(key: "start", value: "\(start)", allowed: "more than end, \(end)")
    }
  }

  /// The spacing for a picture of that many tokens.
  public func adapted(tokens: Int) -> any StepSpacing {
    guard let resolution else { return self }
    var copy = self
    copy.shift = resolution.shift(tokens: tokens)
    copy.resolution = nil
    return copy
  }

  /// The levels, noise falling.
  public func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    guard resolution == nil else { throw .pictureSizeNeeded }
    let even = linspace(start, end, dropsLowest ? count + 1 : count).prefix(count)
    var times = even.map { shift($0) }
    if let terminal, let last = times.last, last < 1 {
      let scale = (1 - last) / (1 - terminal)
      times = times.map { 1 - (1 - $0) / scale }
    }
    let greatest = schedule.isFlow ? 1 : schedule.level(at: 1).noiseFraction
    return times.map { schedule.level(noiseFraction: $0 * greatest) } + [.clean]
  }
}
