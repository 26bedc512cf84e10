/// Flow times as diffusers' solvers of the DPM-Solver family form them: alpha in equal steps from 1 to
/// `1/timesteps`, its times shifted, without the last, which has no noise.
///
/// Formed in the order of operations that tool has, since its networks are told whole timesteps and
/// the last digit decides which.
struct MultistepFlow: StepSpacing, Hashable {
  var shift: TimeShift
  var resolution: ResolutionShift?
  let timesteps: Int
  /// Whether the run ends at the last time rather than without noise.
  let endsAtLast: Bool

  init(
    shift: TimeShift, resolution: ResolutionShift? = nil, timesteps: Int, endsAtLast: Bool = false
  ) {
    self.shift = shift
    self.resolution = resolution
    self.timesteps = timesteps
    self.endsAtLast = endsAtLast
  }

  func adapted(tokens: Int) -> any StepSpacing {
    guard let resolution else { return self }
    return MultistepFlow(
      shift: resolution.shift(tokens: tokens), timesteps: timesteps, endsAtLast: endsAtLast)
  }

  func levels(
    count: Int, schedule: some NoiseSchedule
  ) throws(SamplingError) -> [NoiseLevel] {
    guard count > 0 else { throw .invalidPlan("\(count) steps; at least 1 is needed") }
    guard resolution == nil else { throw .pictureSizeNeeded }
    let times = linspace(1, 1 / Double(timesteps), count + 1).map { shift(1 - $0) }
    let levels = times.dropFirst().reversed().map { schedule.level(noiseFraction: $0) }
    return levels + [endsAtLast ? levels.last ?? .clean : .clean]
  }
}

extension SamplingError {
  static let pictureSizeNeeded = SamplingError.invalidPlan(
    "the spacing depends on the picture's size, and no size was given")
}
