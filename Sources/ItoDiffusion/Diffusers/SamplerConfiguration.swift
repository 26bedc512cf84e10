public import ItoComponents
public import ItoTensors

/// How a published model is meant to be sampled: its process, what its network predicts, and the
/// steps and solver that its own configuration asks for.
public struct SamplerConfiguration: Sendable {
  /// The process.
  public var schedule: any NoiseSchedule
  /// What the network predicts.
  public var parameterization: any Parameterization
  /// How levels are chosen.
  public var spacing: any StepSpacing
  /// The method.
  public var solver: any Solver
  /// What unit noise is multiplied by to start from.
  public var initialScale: InitialScale
  /// Settings of the file that its own scheduler class does not have either.
  public var ignored: [String] = []
  // Whether the other tool's samples are divided by alpha.
  var keepsAlphaAtOne = false
  // Whether the other tool lists the end of the run among its timesteps.
  var listsEnd = false

  /// A configuration of the given parts.
  public init(
    schedule: any NoiseSchedule, parameterization: any Parameterization,
    spacing: any StepSpacing, solver: any Solver, initialScale: InitialScale = .unit
  ) {
    self.schedule = schedule
    self.parameterization = parameterization
    self.spacing = spacing
    self.solver = solver
    self.initialScale = initialScale
  }

  /// Reads diffusers' `scheduler_config.json`.
  ///
  /// A setting left out has its class's default; `mu`, which that tool passes apart, may stand beside
  /// them.
  /// - Throws: `unsupportedScheduler` for a class and `unsupportedSetting` for a setting that has no
  ///   counterpart here, `invalidSetting` for a value of the wrong type.
  public init(diffusers json: JSONValue) throws(SamplingError) {
    guard let object = json.object, let name = object["_class_name"]?.string else {
      throw .invalidSetting(
        scheduler: "scheduler", setting: "_class_name", reason: "is missing or not text")
    }
    guard let entry = diffusersSchedulers.first(where: { $0.className == name }) else {
      throw .unsupportedScheduler(name, known: diffusersSchedulers.map(\.className).sorted())
    }
    var settings = SchedulerSettings(scheduler: name, values: object)
    self = try entry.configuration(&settings)
    ignored = settings.unread
  }

  /// A plan of `steps` steps.
  ///
  /// - Parameter tokens: image tokens, for a spacing that depends on the picture's size.
  public func plan(steps: Int, tokens: Int? = nil) throws(SamplingError) -> SamplingPlan {
    let spacing = tokens.map { self.spacing.adapted(tokens: $0) } ?? self.spacing
    return try SamplingPlan(steps: steps, spacing: spacing, schedule: schedule)
  }

  /// The sample that a run along `plan` starts from, given unit noise.
  public func initialSample(_ noise: Tensor, for plan: SamplingPlan) -> Tensor {
    guard let level = plan.levels.first else { return noise }
    let scale = initialScale.factor(at: level)
    return scale == 1 ? noise : Tensor.linearCombination([(scale, noise)])
  }

  /// A sample at `level` as the tool of the configuration holds it: divided by alpha where that tool keeps
  /// alpha at 1. Differs only where a run stops before its end.
  public func publishedSample(_ x: Tensor, at level: NoiseLevel) -> Tensor {
    keepsAlphaAtOne && level.alpha != 1 ? Tensor.linearCombination([(1 / level.alpha, x)]) : x
  }
}

/// What unit noise is multiplied by to start a run from. The tools differ, visibly so where the first
/// level is not nearly pure noise.
public enum InitialScale: String, Sendable, Hashable, CaseIterable {
  /// 1
  case unit
  /// The sigma of the first level.
  case sigma
  /// `√(alpha² + sigma²)`: the deviation of samples there, for data of unit variance.
  case deviation

  /// The factor for a run that starts at `level`.
  public func factor(at level: NoiseLevel) -> Double {
    switch self {
    case .unit: 1
    case .sigma: level.sigma
    case .deviation: level.magnitude
    }
  }
}
