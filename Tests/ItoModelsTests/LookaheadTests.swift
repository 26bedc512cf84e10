import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

/// Layers that see only time and conditioning, computed for several steps at once, beside every step by itself.
@Suite("Layers computed ahead", .serialized)
struct LookaheadTests {
  private static let networks = [
    #"""
    {"_class_name": "UNet2DModel", "in_channels": 2, "out_channels": 2, "block_out_channels": [8, 16],
     "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 4,
     "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
     "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"], "attention_head_dim": 8,
     "resnet_time_scale_shift": "scale_shift"}
    """#,
    #"""
    {"_class_name": "UNet2DConditionModel", "in_channels": 2, "out_channels": 2,
     "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
     "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
     "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "cross_attention_dim": 5,
     "attention_head_dim": 2, "num_class_embeds": 4, "time_cond_proj_dim": 6,
     "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
     "projection_class_embeddings_input_dim": 15}
    """#,
    #"""
    {"_class_name": "DiTTransformer2DModel", "sample_size": 8, "patch_size": 2, "in_channels": 2,
     "out_channels": 2, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
     "num_embeds_ada_norm": 3}
    """#,
    #"""
    {"_class_name": "DiTTransformer2DModel", "sample_size": 8, "patch_size": 2, "in_channels": 2,
     "out_channels": 2, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
     "num_embeds_ada_norm": 3, "cross_attention_dim": 5, "qk_norm": "rms_norm",
     "shares_conditioning": true}
    """#,
    #"""
    {"_class_name": "ItoConvTransformer2DModel", "sample_size": 8, "in_channels": 2,
     "out_channels": 2, "block_out_channels": [8], "num_layers": 2, "num_attention_heads": 2,
     "attention_head_dim": 8, "cross_attention_dim": 5, "pooled_projection_dim": 7,
     "conditioning_dim": 12, "norm_num_groups": 4}
    """#,
  ]

  /// A model that is not told where in a run it is.
  private struct StepByStep<B: Backbone>: Denoiser {
    let inner: PreconditionedDenoiser<B>
    var schedule: any NoiseSchedule { inner.schedule }

    func denoise(
      _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning,
      context: EvaluationContext
    ) throws(SamplingError) -> Tensor {
      try inner.denoise(x, at: level, given: conditioning, context: EvaluationContext())
    }
  }

  private func conditioning(_ label: Int32, seed: UInt64) -> Conditioning {
    var c = Conditioning(tokens: randomTensor([2, 3, 5], seed: seed))
    c.mask = Tensor([true, true, false, true, true, true], shape: [2, 3])
    c.label = Tensor([label, 2], shape: [2])
    c.pooled = randomTensor([2, 7], seed: seed + 1)
    c[ImageSizes.self] = Tensor([512, 384, 640, 1024], shape: [2, 2])
    c[GuidanceEmbedding.self] = randomTensor([2, 6], seed: seed + 2)
    return c
  }

  /// The network with no layer that starts as a no-op, in `dtype`.
  private func model<B: RegisteredBackbone>(
    _ fresh: B, _ dtype: DType
  ) -> PreconditionedDenoiser<B> {
    var seed: UInt64 = 100
    let network = fresh.mappingParameters { _, tensor in
      seed += 1
      let fanIn = tensor.shape.rank > 1 ? tensor.shape.count / tensor.shape[0] : 10
      let values = randomTensor(
        tensor.shape, seed: seed, scale: 1 / Double(fanIn).squareRoot(),
        offset: tensor.shape.rank > 1 ? 0 : 0.5)
      return tensor.shape.rank > 1 ? values.cast(to: dtype) : values
    }
    return PreconditionedDenoiser(
      network, schedule: RectifiedFlow(), parameterization: FlowPrediction(), computeType: dtype)
  }

  private func check<B: RegisteredBackbone>(
    _ fresh: B, _ dtype: DType, _ solver: any Solver, steps: Int, passes: PassExecution
  ) throws {
    let model = model(fresh, dtype)
    let request = SamplingRequest(
      positive: conditioning(1, seed: 1), negative: conditioning(3, seed: 5),
      plan: try SamplingPlan(steps: steps, spacing: UniformSpacing(), schedule: RectifiedFlow()),
      solver: solver, guidance: ClassifierFreeGuidance(scale: 2), noise: SamplingNoise(seed: 1),
      passes: passes)
    let x = randomTensor([2, 8, 8, 2], seed: 9)
    let ahead = try sample(x, with: model, request)
    let alone = try sample(x, with: StepByStep(inner: model), request)
    #expect(ahead.latent.scalars == alone.latent.scalars)
    #expect(ahead.latent.scalars.contains { $0 != 0 })
  }

  @Test(
    "the same bits as step by step", arguments: networks, [DType.float32, .bfloat16])
  func bits(_ text: String, _ dtype: DType) throws {
    var initial = ParameterInitializer(seed: 3)
    let network = try BackboneFamily.make(try JSONValue.parse(text), &initial)
    // More rows than are computed at once; levels that no step begins at; one pass after the other.
    try check(network, dtype, EulerSolver(), steps: 18, passes: .batched)
    try check(
      network, dtype, try Registry<any Solver>.builtin.make("dpm2"), steps: 3, passes: .batched)
    try check(network, dtype, EulerSolver(), steps: 3, passes: .sequential)
  }

  @Test("as many products for many steps as for one", arguments: networks)
  func count(_ text: String) throws {
    var initial = ParameterInitializer(seed: 3)
    let network = try BackboneFamily.make(try JSONValue.parse(text), &initial)
    func products<B: RegisteredBackbone>(_ network: B, steps: Int) throws -> Int {
      let model = model(network, .float32)
      let request = SamplingRequest(
        positive: conditioning(1, seed: 1),
        plan: try SamplingPlan(
          steps: steps, spacing: UniformSpacing(), schedule: RectifiedFlow()),
        solver: EulerSolver(), noise: SamplingNoise(seed: 1))
      let x = randomTensor([2, 8, 8, 2], seed: 9)
      let run = try Profile.recording { () throws(SamplingError) in
        try sample(x, with: model, request)
      }
      return run.entries.first { $0.operation == "RowLinear" }?.calls ?? 0
    }
    let one = try products(network, steps: 1)
    #expect(one > 0)
    #expect(try products(network, steps: 20) == one)
  }
}
