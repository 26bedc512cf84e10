import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

/// Memory is had in the first two steps; later ones find what they need among what earlier ones let go. What the first keeps
/// (packed weights, what becomes of the prompt) lies in blocks that its layers had before, so the second finds some taken.
@Suite("Allocations of a denoiser", .serialized)
struct DenoiserAllocationTests {
  private static let unet = #"""
    {"_class_name": "UNet2DConditionModel", "in_channels": 4, "out_channels": 4,
     "block_out_channels": [32, 64], "layers_per_block": 2, "norm_num_groups": 8,
     "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
     "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "cross_attention_dim": 16,
     "attention_head_dim": 4}
    """#
  private static let dit = #"""
    {"_class_name": "DiTTransformer2DModel", "sample_size": 16, "patch_size": 2, "in_channels": 4,
     "out_channels": 4, "num_layers": 3, "num_attention_heads": 4, "attention_head_dim": 16,
     "num_embeds_ada_norm": 3}
    """#

  /// Blocks that the system had given after each step of a guided run of `network`.
  private func blocks<B: RegisteredBackbone>(
    _ network: B, _ solver: any Solver, _ passes: PassExecution
  ) throws -> [Int] {
    let schedule = RectifiedFlow()
    let denoiser = PreconditionedDenoiser(
      network, schedule: schedule, parameterization: FlowPrediction(), computeType: .float32)
    var prompt = Conditioning(tokens: randomTensor([2, 7, 16], seed: 2))
    prompt.label = Tensor([Int32(1), 2], shape: [2])
    var nothing = Conditioning(tokens: randomTensor([2, 7, 16], seed: 3))
    nothing.label = Tensor([Int32(3), 3], shape: [2])
    let plan = try SamplingPlan(steps: 8, spacing: UniformSpacing(), schedule: schedule)
    var counts: [Int] = []
    _ = try sample(
      randomTensor([2, 16, 16, 4], seed: 4), with: denoiser,
      SamplingRequest(
        positive: prompt, negative: nothing, plan: plan, solver: solver,
        guidance: ClassifierFreeGuidance(scale: 3), noise: SamplingNoise(seed: 1), passes: passes),
      onStep: { _, _ in counts.append(Runtime.memory.systemAllocations) })
    return counts
  }

  private func check(_ text: String, _ body: (any RegisteredBackbone) throws -> [Int]) throws {
    var initial = ParameterInitializer(seed: 5)
    let network = try BackboneFamily.make(try JSONValue.parse(text), &initial)
    // How many blocks threads hold at the same time is chance.
    let before = Runtime.threads
    Runtime.threads = 1
    defer { Runtime.threads = before }
    Runtime.trim()
    let counts = try body(network)
    let isSteady = counts.allSatisfy { $0 == counts[0] }
    #expect(isSteady, "\(counts)")
  }

  @Test("no evaluation after the second asks the system for memory", arguments: [unet, dit])
  func evaluations(_ text: String) throws {
    func counts<B: RegisteredBackbone>(_ network: B) -> [Int] {
      let x = randomTensor([2, 16, 16, 4], seed: 4)
      var conditioning = Conditioning(tokens: randomTensor([2, 7, 16], seed: 2))
      conditioning.label = Tensor([Int32(1), 2], shape: [2])
      let time = Tensor([3, 700], shape: [2])
      return (0..<5).map { _ in
        _ = network(x, time: time, conditioning: conditioning, context: EvaluationContext())
        return Runtime.memory.systemAllocations
      }
    }
    try check(text) { Array(counts($0).dropFirst()) }
  }

  @Test(
    "no step of a run after the second asks the system for memory", arguments: [unet, dit],
    [PassExecution.batched, .sequential])
  func steps(_ text: String, _ passes: PassExecution) throws {
    try check(text) { network in
      let counts = try blocks(network, EulerSolver(), passes)
      #expect(counts.count == 8)
      return Array(counts.dropFirst())
    }
  }
}
