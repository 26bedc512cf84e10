import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport

/// Two Gaussians in the plane under a straight flow: label 0 is one, label 1 the other, label 2 both.
struct GuidanceBench {
  var mixture = GaussianMixture(
    [
      .init(0.3, mean: [1, -0.5], deviation: [0.4, 0.7]),
      .init(0.7, mean: [-1, 0.8], deviation: [0.6, 0.3]),
    ], schedule: RectifiedFlow())
  var count = 6
  var steps = 8

  func labelled(_ label: Int32) -> Conditioning {
    Conditioning(label: Tensor([Int32](repeating: label, count: count), shape: [count]))
  }

  var plan: SamplingPlan { evenPlan(steps) }

  /// A run for label 0 against label 2, or whatever is given.
  func run(
    _ guidance: any Guidance, solver: any Solver = EulerSolver(), guide: (any Denoiser)? = nil,
    denoiser: (any Denoiser)? = nil, positive: Int32 = 0, negative: Int32 = 2,
    passes: PassExecution = .batched, initial: Tensor? = nil
  ) throws -> SamplingResult {
    let request = SamplingRequest(
      positive: labelled(positive), negative: labelled(negative), plan: plan, solver: solver,
      guidance: guidance, noise: SamplingNoise(seed: 3, count: count), passes: passes, guide: guide)
    let start = initial ?? randomTensor([count, 2], seed: 5)
    guard let denoiser else { return try Self.open(mixture, start, request) }
    return try Self.open(denoiser, start, request)
  }

  private static func open(
    _ denoiser: some Denoiser, _ initial: Tensor, _ request: SamplingRequest
  ) throws -> SamplingResult { try sample(initial, with: denoiser, request) }
}

/// The combination of one step's estimates by a guidance, made with its own memory.
struct Combination<G: Guidance> {
  let guidance: G
  var memory: G.Memory

  init(_ guidance: G, plan: SamplingPlan) {
    self.guidance = guidance
    memory = guidance.makeMemory(for: plan)
  }

  mutating func callAsFunction(_ estimates: [Tensor], of x: Tensor, at step: StepInfo) -> Tensor {
    guidance.combine(estimates, of: x, at: step, memory: &memory)
  }
}

/// The dot product of two samples, in double precision.
func dot(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// The rows of `[batch, …]`.
func rows(_ x: Tensor) -> [[Float]] {
  let values = x.scalars, width = values.count / x.shape[0]
  return (0..<x.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
}
