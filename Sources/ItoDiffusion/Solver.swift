public import ItoTensors

/// One step from a noise level to the next. Stateless: two runs may share it.
///
/// A solver sees clean estimates and levels. Guidance, caches, cancellation and progress are not its
/// business, nor is what the network predicts.
public protocol Solver: Sendable {
  /// What a step leaves for the next: the history of a multistep method. Owned by the run.
  associatedtype Memory = Void

  /// What is known about the method.
  var traits: SolverTraits { get }

  /// Throws `SamplingError.invalidPlan` for a plan the method cannot follow.
  func validate(_ plan: SamplingPlan) throws(SamplingError)

  /// The memory at the beginning of a run.
  func makeMemory(for plan: SamplingPlan) -> Memory

  /// The sample at `next`.
  ///
  /// - Parameters:
  ///   - x: the sample at `current`, `[batch, …]` float32.
  ///   - memory: what the step before left.
  ///   - noise: random numbers, a stream for each sample.
  ///   - denoise: the guided clean estimate of a sample at a level; may be called at any level, any
  ///     number of times.
  func step(
    _ x: Tensor, from current: NoiseLevel, to next: NoiseLevel, memory: inout Memory,
    noise: inout SamplingNoise, denoise: DenoiseFunction
  ) throws(SamplingError) -> Tensor
}

/// What is known about a method, for tables and tests.
public struct SolverTraits: Sendable, Hashable {
  /// Order of the error in the number of steps, without noise.
  public var order: Int
  /// Evaluations of the denoiser in a step.
  public var evaluations: Int
  /// Whether steps add noise.
  public var isStochastic: Bool
  /// Whether the order holds only for steps that are equal in sigma/alpha.
  public var needsEqualSteps: Bool
  /// Whether a step of the plan is divided as an estimate of the error asks; `evaluations` are then those
  /// of each part.
  public var isAdaptive: Bool
  /// The paper.
  public var source: String

  /// The facts.
  public init(
    order: Int, evaluations: Int = 1, isStochastic: Bool = false, needsEqualSteps: Bool = false,
    isAdaptive: Bool = false, source: String
  ) {
    self.order = order
    self.evaluations = evaluations
    self.isStochastic = isStochastic
    self.needsEqualSteps = needsEqualSteps
    self.isAdaptive = isAdaptive
    self.source = source
  }
}

/// One question to the denoiser: the clean estimate of `x` at `level`.
public struct DenoiseQuery {
  /// A sample at `level`.
  public var x: Tensor
  /// Its level.
  public var level: NoiseLevel
  /// The level that the estimate is wanted for, when that is not where the step ends: what
  /// guidance, caches and networks that map from one level to another find in `StepInfo.next`.
  public var target: NoiseLevel?
  /// How many steps after the current one the question belongs to.
  public var stepOffset: Int

  /// A question that belongs to the current step unless told otherwise.
  public init(
    _ x: Tensor, _ level: NoiseLevel, toward target: NoiseLevel? = nil, stepOffset: Int = 0
  ) {
    self.x = x
    self.level = level
    self.target = target
    self.stepOffset = stepOffset
  }
}

/// The clean estimate of a sample at a level, with everything the run adds to it.
public struct DenoiseFunction {
  private let body: ([DenoiseQuery]) throws(SamplingError) -> [Tensor]

  /// Answers several questions at once with `body`.
  public init(together body: @escaping ([DenoiseQuery]) throws(SamplingError) -> [Tensor]) {
    self.body = body
  }

  /// Calls `body` for one question after the other.
  public init(_ body: @escaping (Tensor, NoiseLevel) throws(SamplingError) -> Tensor) {
    self.body = { (queries) throws(SamplingError) in
      var answers: [Tensor] = []
      for query in queries { answers.append(try body(query.x, query.level)) }
      return answers
    }
  }

  /// E[x₀ | x] of the sample `x` at `level`; see `DenoiseQuery` for `target`.
  public func callAsFunction(
    _ x: Tensor, _ level: NoiseLevel, toward target: NoiseLevel? = nil
  ) throws(SamplingError) -> Tensor {
    try body([DenoiseQuery(x, level, toward: target)])[0]
  }

  /// The estimates for all of `queries`, in their order: one call of the network where the model
  /// takes several levels in a batch. What methods that are parallel in time use.
  public func together(_ queries: [DenoiseQuery]) throws(SamplingError) -> [Tensor] {
    try body(queries)
  }
}

extension Solver where Memory == Void {
  /// Nothing to remember.
  public func makeMemory(for plan: SamplingPlan) {}
}

extension Solver {
  /// Accepts plans of finite levels on which noise falls, and is there at the start of every step.
  public func validate(_ plan: SamplingPlan) throws(SamplingError) {
    try requireFallingNoise(plan)
  }

  /// What most methods need: see `validate`.
  public func requireFallingNoise(_ plan: SamplingPlan) throws(SamplingError) {
    guard plan.stepCount > 0 else { throw .invalidPlan("there is no step") }
    if let targets = plan.targets, targets.count != plan.stepCount {
      throw .invalidPlan("\(targets.count) targets for \(plan.stepCount) steps")
    }
    for index in 0..<plan.stepCount {
      let (current, next) = plan.step(index)
      for level in [current, next] {
        let isUsable =
          level.alpha.isFinite && level.sigma.isFinite && level.alpha >= 0 && level.sigma >= 0
          && level.alpha + level.sigma > 0
        guard isUsable else {
          throw .invalidPlan("alpha \(level.alpha), sigma \(level.sigma) in step \(index + 1)")
        }
      }
      guard current.sigma > 0 else {
        throw .invalidPlan("step \(index + 1) starts without noise")
      }
      // Levels that are made in two ways may differ in the last digit.
      guard next.noiseFraction <= current.noiseFraction * (1 + 1e-12) else {
        throw .invalidPlan(
          "noise rises in step \(index + 1), from sigma/alpha \(current.noiseToSignal) to "
            + "\(next.noiseToSignal)")
      }
    }
  }
}
