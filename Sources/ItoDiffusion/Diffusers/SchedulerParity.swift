public import ItoComponents
import ItoModules
public import ItoTensors

/// Repeats a recorded run of diffusers' scheduler on a closed-form network, to compare every sample.
///
/// The network is `0.6·x + 0.3·sin(3·x + t/250)`, t what the scheduler tells it; everything else is the
/// code that samples pictures.
public struct SchedulerParity: Sendable {
  /// The scheduler's configuration.
  public let configuration: SamplerConfiguration
  /// Number of steps.
  public let steps: Int
  /// What the recorded run multiplied unit noise by, where that is stated.
  private let initialScale: Double?

  /// A run of the scheduler that `json` describes: its settings, `num_inference_steps`, and `mu` where
  /// the shift depends on it.
  public init(_ json: JSONValue) throws(SamplingError) {
    configuration = try SamplerConfiguration(diffusers: json)
    guard let steps = json["num_inference_steps"]?.int, steps > 0 else {
      throw .invalidSetting(
        scheduler: json["_class_name"]?.string ?? "scheduler", setting: "num_inference_steps",
        reason: "is missing or not a positive integer")
    }
    self.steps = steps
    initialScale = json["init_noise_sigma"]?.double
  }

  /// What a run went through, as the scheduler would report it.
  public struct Trajectory: Sendable {
    /// What the network was told at each evaluation, `[evaluations]`; for schedulers that list it, what it
    /// would be told at the end too.
    public var timesteps: Tensor
    /// The sample at each evaluation and the last one, `[evaluations + 1] +` its shape.
    public var samples: Tensor
  }

  /// The run from `noise` of unit variance, `[batch, …]`.
  ///
  /// - Parameter drawn: the noise of the steps in the order it is drawn, `[draws, batch, …]`.
  public func trajectory(
    from noise: Tensor, drawn: Tensor? = nil
  ) throws(SamplingError) -> Trajectory {
    let plan = try configuration.plan(steps: steps)
    let denoiser = PreconditionedDenoiser(
      ClosedFormNetwork(), schedule: configuration.schedule,
      parameterization: configuration.parameterization)
    let draws = drawn?.chunks(drawn?.batchCount ?? 1, axis: 0).map { $0.squeezed(axis: 0) } ?? []
    let request = SamplingRequest(
      plan: plan, solver: configuration.solver, noise: SamplingNoise(recorded: draws))
    var visited: [(x: Tensor, level: NoiseLevel)] = []
    let result = try sample(
      start(noise, plan), with: denoiser, request,
      onEstimate: { info, x, _ in visited.append((x, info.level)) })
    let told = visited.map(\.level) + (configuration.listsEnd ? plan.levels.suffix(1) : [])
    let times = told.map {
      Float(configuration.parameterization.preconditioning(at: $0).conditioningTime)
    }
    if let last = plan.levels.last { visited.append((result.latent, last)) }
    let samples = visited.map { x, level in
      configuration.keepsAlphaAtOne
        ? Tensor.linearCombination([(1 / level.alpha, x)]) : x
    }
    return Trajectory(
      timesteps: Tensor(times, shape: [times.count]), samples: Tensor.stacked(samples))
  }
}

extension SchedulerParity {
  /// The sample that the recorded run started from.
  private func start(_ noise: Tensor, _ plan: SamplingPlan) -> Tensor {
    guard let initialScale, let first = plan.levels.first else {
      return configuration.initialSample(noise, for: plan)
    }
    let alpha = configuration.keepsAlphaAtOne ? first.alpha : 1
    return Tensor.linearCombination([(alpha * initialScale, noise)])
  }
}

/// A network without weights.
private struct ClosedFormNetwork: Backbone {
  func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let phase = Double(time.scalars.first ?? 0) / 250
    return Tensor.linearCombination([(0.6, x), (0.3, (3 * x + phase).sin())])
  }

  mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {}
}
