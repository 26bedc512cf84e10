public import ItoComponents
import ItoDiffusion
public import ItoTensors

/// Runs samplers on one model from the same noise, each within a number of evaluations.
///
/// The error of a sampler is the root mean square difference of its pictures, in −1…1, from those of a run
/// of many steps. Solvers that draw noise in their steps have no such reference: their error says how
/// far they are from the deterministic path, not how good they are.
public struct SamplerComparison: Sendable {
  /// The model.
  public let generator: ImageGenerator
  /// The pictures to draw; its solver, spacing and steps are not used.
  public let request: GenerationRequest

  /// A comparison on the pictures of `request`.
  public init(_ generator: ImageGenerator, _ request: GenerationRequest) {
    self.generator = generator
    self.request = request
  }

  /// One sampler.
  public struct Contestant: Sendable, Hashable {
    /// The method.
    public var solver: ComponentChoice
    /// Its levels; the model's own when nil.
    public var spacing: ComponentChoice?

    /// A sampler of the given parts.
    public init(solver: ComponentChoice, spacing: ComponentChoice? = nil) {
      self.solver = solver
      self.spacing = spacing
    }

    /// Its name in tables.
    public var name: String {
      solver.description + (spacing.map { " " + $0.description } ?? "")
    }
  }

  /// What a sampler made of a number of evaluations.
  public struct Outcome: Sendable {
    /// Steps taken.
    public let steps: Int
    /// Evaluations for each picture, without guidance's passes.
    public let evaluations: Int
    /// The pictures, `[pictures, height, width, channels]` in −1…1.
    public let pictures: Tensor
  }

  /// The pictures of `contestant` with the most steps that take no more than `evaluations`; nil when even
  /// one step takes more.
  public func run(
    _ contestant: Contestant, evaluations: Int, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in }
  ) throws(PipelineError) -> Outcome? {
    for steps in stride(from: evaluations, to: 0, by: -1) {
      guard let count = try count(contestant, steps: steps), count <= evaluations else { continue }
      let pictures = try draw(
        contestant, steps: steps, isCancelled: isCancelled, onStep: onStep)
      return Outcome(steps: steps, evaluations: count, pictures: pictures)
    }
    return nil
  }

  /// The pictures of `contestant` in `steps` steps.
  public func draw(
    _ contestant: Contestant, steps: Int, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in }
  ) throws(PipelineError) -> Tensor {
    try generator.generateTensor(
      request(contestant, steps: steps), isCancelled: isCancelled, onStep: onStep)
  }

  private func request(_ contestant: Contestant, steps: Int) -> GenerationRequest {
    var request = request
    request.solver = contestant.solver
    request.spacing = contestant.spacing
    request.steps = steps
    return request
  }

  /// How many evaluations `steps` steps take, counted on a sample of one number; nil where they cannot be
  /// taken.
  public func count(_ contestant: Contestant, steps: Int) throws(PipelineError) -> Int? {
    do throws(PipelineError) {
      let (plan, solver, _) = try generator.plan(for: request(contestant, steps: steps))
      return try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try Self.count(solver, plan)
      }
    } catch {
      if case .sampling(.invalidPlan) = error { return nil }
      throw error
    }
  }

  private static func count<S: Solver>(
    _ solver: S, _ plan: SamplingPlan
  ) throws(SamplingError) -> Int {
    try solver.validate(plan)
    var memory = solver.makeMemory(for: plan)
    var noise = SamplingNoise(seed: 0)
    var x = Tensor(zeros: [1, 1])
    var count = 0
    for index in 0..<plan.stepCount {
      let (current, next) = plan.step(index)
      let denoise = DenoiseFunction { (x, _) throws(SamplingError) in
        count += 1
        return x
      }
      x = try solver.step(
        x, from: current, to: next, memory: &memory, noise: &noise, denoise: denoise)
    }
    return count
  }

  /// Root mean square difference of the first pictures of both, as many as the fewer has.
  public static func error(of pictures: Tensor, from reference: Tensor) -> Double {
    let count = min(pictures.shape[0], reference.shape[0])
    let (a, b) = (
      pictures.slice(axis: 0, from: 0, to: count), reference.slice(axis: 0, from: 0, to: count)
    )
    let difference = a - b
    return Double((difference * difference).mean().item).squareRoot()
  }
}
