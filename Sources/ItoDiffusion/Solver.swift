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
  /// The paper.
  public var source: String

  /// The facts.
  public init(order: Int, evaluations: Int = 1, isStochastic: Bool = false, source: String) {
    self.order = order
    self.evaluations = evaluations
    self.isStochastic = isStochastic
    self.source = source
  }
}

/// The clean estimate of a sample at a level, with everything the run adds to it.
public struct DenoiseFunction {
  private let body: (Tensor, NoiseLevel) throws(SamplingError) -> Tensor

  /// Calls `body`.
  public init(_ body: @escaping (Tensor, NoiseLevel) throws(SamplingError) -> Tensor) {
    self.body = body
  }

  /// E[x₀ | x] of the sample `x` at `level`.
  public func callAsFunction(
    _ x: Tensor, _ level: NoiseLevel
  ) throws(SamplingError) -> Tensor { try body(x, level) }
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
      guard next.noiseFraction <= current.noiseFraction else {
        throw .invalidPlan(
          "noise rises in step \(index + 1), from sigma/alpha \(current.noiseToSignal) to "
            + "\(next.noiseToSignal)")
      }
    }
  }
}
