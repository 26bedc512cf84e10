import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

/// Small networks of every kind, with what they are given.
private let unet = #"""
  {"_class_name": "UNet2DModel", "sample_size": 9, "in_channels": 2, "out_channels": 2,
   "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
   "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
   "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "attention_head_dim": 8, "num_class_embeds": 4}
  """#
private let residualUNet = #"""
  {"_class_name": "UNet2DModel", "in_channels": 2, "out_channels": 2, "block_out_channels": [8, 16],
   "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 4,
   "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
   "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"], "attention_head_dim": 8,
   "resnet_time_scale_shift": "scale_shift"}
  """#
private let dit = #"""
  {"_class_name": "DiTTransformer2DModel", "sample_size": 8, "patch_size": 2, "in_channels": 2,
   "out_channels": 2, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
   "num_embeds_ada_norm": 3}
  """#
private let tokenDiT = #"""
  {"_class_name": "DiTTransformer2DModel", "sample_size": 8, "patch_size": 2, "in_channels": 2,
   "out_channels": 2, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
   "num_embeds_ada_norm": 3, "cross_attention_dim": 5, "qk_norm": "rms_norm",
   "shares_conditioning": true}
  """#

/// Everything at once: sizes, guidance, class; a level that changes by residual blocks; several
/// transformer blocks, of which one level's attend to the prompt only.
private let conditionUNet = #"""
  {"_class_name": "UNet2DConditionModel", "in_channels": 2, "out_channels": 2,
   "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
   "down_block_types": ["CrossAttnDownBlock2D", "ResnetDownsampleBlock2D"],
   "up_block_types": ["ResnetUpsampleBlock2D", "CrossAttnUpBlock2D"], "cross_attention_dim": 5,
   "attention_head_dim": [2, 4], "transformer_layers_per_block": [2, 1],
   "only_cross_attention": [true, false], "num_class_embeds": 4, "time_cond_proj_dim": 6,
   "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
   "projection_class_embeddings_input_dim": 15}
  """#
private let convTransformer = #"""
  {"_class_name": "ItoConvTransformer2DModel", "sample_size": 8, "in_channels": 2, "out_channels": 2,
   "block_out_channels": [8], "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
   "cross_attention_dim": 5, "conditioning_dim": 12, "norm_num_groups": 4}
  """#

@Suite("Networks")
struct NetworkTests {
  private func make(_ text: String) throws -> any RegisteredBackbone {
    var initial = ParameterInitializer(seed: 3)
    return try BackboneFamily.make(try JSONValue.parse(text), &initial)
  }

  /// The network with no layer that starts as a no-op.
  private func awake<B: RegisteredBackbone>(_ network: B) -> B {
    var seed: UInt64 = 100
    return network.mappingParameters { _, tensor in
      seed += 1
      let fanIn = tensor.shape.rank > 1 ? tensor.shape.count / tensor.shape[0] : 10
      let deviation = 1 / Double(fanIn).squareRoot()
      return randomTensor(
        tensor.shape, seed: seed, scale: deviation, offset: tensor.shape.rank > 1 ? 0 : 0.5)
    }
  }

  private var conditioning: Conditioning {
    var c = Conditioning(tokens: randomTensor([2, 3, 5], seed: 9))
    c.label = Tensor([Int32(1), 2], shape: [2])
    c.mask = Tensor([true, true, false, true, true, true], shape: [2, 3])
    c.pooled = randomTensor([2, 7], seed: 10)
    c[ImageSizes.self] = Tensor([512, 384, 640, 1024], shape: [2, 2])
    c[GuidanceEmbedding.self] = randomTensor([2, 6], seed: 11)
    return c
  }

  private func evaluate<B: RegisteredBackbone>(
    _ network: B, _ x: Tensor, _ conditioning: Conditioning
  ) -> Tensor {
    network(
      x, time: Tensor([3, 700], shape: [2]), conditioning: conditioning,
      context: EvaluationContext())
  }

  @Test(
    "a fresh network outputs zero and every parameter is visited once",
    arguments: [unet, residualUNet, conditionUNet, dit, tokenDiT, convTransformer])
  func fresh(_ text: String) throws {
    func check<B: RegisteredBackbone>(_ network: B) {
      let x = randomTensor([2, 8, 8, 2], seed: 1)
      let y = evaluate(network, x, conditioning)
      #expect(y.shape == x.shape)
      #expect(y.scalars.filter { $0 != 0 } == [])
      let paths = network.parameters.map(\.path.description)
      #expect(Set(paths).count == paths.count)
    }
    check(try make(text))
  }

  @Test(
    "every parameter gets a gradient that central differences confirm",
    arguments: [unet, residualUNet, conditionUNet, dit, tokenDiT, convTransformer])
  func gradients(_ text: String) throws {
    func check<B: RegisteredBackbone>(_ fresh: B) {
      let network = awake(fresh)
      let x = randomTensor([2, 8, 8, 2], seed: 1), weights = randomTensor([2, 8, 8, 2], seed: 2)
      func loss(_ n: B) -> Tensor { (evaluate(n, x, conditioning) * weights).sum() }
      let (_, gradients) = valueWithGradient(at: network) { loss($0) }
      for (path, tensor) in network.parameters {
        guard let gradient = gradients[path] else {
          Issue.record("no gradient for \(path)")
          continue
        }
        // Along the gradient itself: one number for the whole tensor.
        let norm = Double((gradient * gradient).sum().item).squareRoot()
        // A bias on keys shifts every score alike and cannot matter.
        guard norm > 1e-4 else { continue }
        // The smallest gradients (of a bias on keys that are normalized) need a longer way: what the outputs
        // are rounded by is divided by it.
        let way = norm < 1e-2 ? 8e-4 : 2e-4
        let h = way * Double(tensor.shape.count).squareRoot() / norm
        func moved(_ s: Double) -> Double {
          let other = network.mappingParameters { $0 == path ? $1 + s * gradient : $1 }
          // Summed in double: the rounding of a large sum would outweigh a small gradient.
          return zip(evaluate(other, x, conditioning).scalars, weights.scalars)
            .reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let difference = (moved(h) - moved(-h)) / (2 * h)
        #expect(
          abs(difference - norm * norm) <= 0.05 * norm * norm + 1e-2 * norm,
          "\(path): \(difference) instead of \(norm * norm)")
      }
    }
    check(try make(text))
  }

  @Test("odd sizes come back; a patch must fit")
  func sizes() throws {
    func check<B: RegisteredBackbone>(_ network: B) {
      let x = randomTensor([2, 7, 9, 2], seed: 1)
      #expect(evaluate(awake(network), x, conditioning).shape == x.shape)
    }
    check(try make(unet))
    func wide<B: RegisteredBackbone>(_ network: B) {
      let x = randomTensor([2, 6, 12, 2], seed: 1)
      #expect(evaluate(awake(network), x, conditioning).shape == x.shape)
    }
    wide(try make(dit))
  }

  @Test("labels and tokens matter; masked tokens and no label are the null class")
  func conditioningMatters() throws {
    func check<B: RegisteredBackbone>(_ fresh: B) {
      let network = awake(fresh)
      let x = randomTensor([2, 8, 8, 2], seed: 1)
      let base = evaluate(network, x, conditioning)
      var other = conditioning
      other.label = Tensor([Int32(0), 2], shape: [2])
      #expect(relativeRMSError(evaluate(network, x, other), base) > 1e-3)
      var masked = conditioning
      var tokens = conditioning.tokens ?? x
      tokens.update { for i in 10..<15 { $0[i] = 100 } }  // sample 0, token 2: masked
      masked.tokens = tokens
      #expect(evaluate(network, x, masked).scalars == base.scalars)
      tokens.update { for i in 0..<5 { $0[i] = 3 } }
      masked.tokens = tokens
      #expect(relativeRMSError(evaluate(network, x, masked), base) > 1e-3)
      var none = conditioning
      none.label = nil
      var null = conditioning
      null.label = Tensor([Int32(3), 3], shape: [2])
      #expect(evaluate(network, x, none).scalars == evaluate(network, x, null).scalars)
    }
    check(try make(tokenDiT))
  }

  @Test("recomputing activations changes nothing")
  func checkpointing() throws {
    var initial = ParameterInitializer(seed: 3)
    var network = awake(try DiT(configuration: try JSONValue.parse(tokenDiT), &initial))
    let x = randomTensor([2, 8, 8, 2], seed: 1)
    func gradients(_ n: DiT) -> (Float, Gradients) {
      let r = valueWithGradient(at: n) {
        let y = $0(
          x, time: Tensor([3, 700], shape: [2]), conditioning: conditioning,
          context: EvaluationContext(training: true))
        return (y * y).mean()
      }
      return (r.value.item, r.gradients)
    }
    let plain = gradients(network)
    network.usesCheckpointing = true
    let saved = gradients(network)
    #expect(plain.0 == saved.0)
    for (path, gradient) in plain.1.byPath {
      let other = saved.1[path] ?? Tensor(zeros: [1])
      #expect(relativeRMSError(other, gradient) < 1e-5, "\(path)")
    }
  }

  @Test("a cache policy sees the sites; none changes nothing")
  func cacheSites() throws {
    struct Never: CachePolicy {
      func makeSession(for plan: SamplingPlan) -> NeverSession { NeverSession() }
    }
    struct NeverSession: CacheSession {
      mutating func lookup(_ query: CacheQuery) -> Activations? { nil }
      mutating func record(_ output: Activations, for query: CacheQuery) {}
    }
    func check<B: RegisteredBackbone>(_ fresh: B, sites: Int) throws {
      let network = awake(fresh)
      let x = randomTensor([2, 8, 8, 2], seed: 1)
      let schedule = RectifiedFlow()
      let level = schedule.level(at: 0.5)
      let plan = SamplingPlan(levels: [level, schedule.level(at: 0.1)], schedule: schedule)
      let context = EvaluationContext(cache: Never(), plan: plan)
      context.step = StepInfo(index: 0, count: 1, evaluation: 0, level: level)
      let y = network(
        x, time: Tensor([3, 700], shape: [2]), conditioning: conditioning, context: context)
      #expect(y.scalars == evaluate(network, x, conditioning).scalars)
      #expect(context.statistics.computed == sites)
    }
    try check(try make(unet), sites: 1)
    try check(try make(dit), sites: 2)
  }

  @Test(
    "a run that keeps what a prompt becomes draws the bits of evaluations apart",
    arguments: [conditionUNet, tokenDiT, convTransformer])
  func keptPrompts(_ text: String) throws {
    func check<B: RegisteredBackbone>(_ fresh: B) {
      let network = awake(fresh)
      let context = EvaluationContext()
      var other = conditioning
      other.tokens = randomTensor([2, 3, 5], seed: 12)
      for (index, (pass, prompt)) in [
        (PassID.conditional, conditioning), (.unconditional, other), (.conditional, conditioning),
        (.unconditional, other), (.conditional, other), (.conditional, conditioning),
      ].enumerated() {
        context.step = StepInfo(
          index: index, count: 6, evaluation: index,
          level: RectifiedFlow().level(at: 1 - 0.1 * Double(index)))
        context.pass = pass
        let x = randomTensor([2, 8, 8, 2], seed: 20 + UInt64(index))
        let y = network(
          x, time: Tensor([3, 700], shape: [2]), conditioning: prompt, context: context)
        #expect(y.scalars == evaluate(network, x, prompt).scalars, "\(index)")
      }
    }
    check(try make(text))
  }

  @Test("settings that are not implemented are refused by name")
  func refusals() throws {
    func error(_ text: String, _ change: (inout JSONObject) -> Void) throws -> ModelError? {
      guard case .object(var object) = try JSONValue.parse(text) else { return nil }
      change(&object)
      var initial = ParameterInitializer.placeholder
      do throws(ModelError) {
        _ = try BackboneFamily.make(.object(object), &initial)
        return nil
      } catch {
        return error
      }
    }
    #expect(
      try error(unet) { $0["act_fn"] = "mish" }
        == .unsupported(model: "UNet2DModel", key: "act_fn", value: "\"mish\""))
    #expect(
      try error(unet) { $0["new_idea"] = true }
        == .unsupported(model: "UNet2DModel", key: "new_idea", value: "true"))
    #expect(
      try error(unet) { $0["block_out_channels"] = nil }
        == .missing(model: "UNet2DModel", key: "block_out_channels"))
    #expect(try error(unet) { $0["norm_num_groups"] = 5 } != nil)
    #expect(try error(dit) { $0["num_layers"] = -1 } != nil)
    #expect(try error(dit) { $0["num_layers"] = "many" } != nil)
    #expect(try error(dit) { $0["norm_type"] = "ada_norm_single" } != nil)
    for key in ["layers_per_block", "cross_attention_dim", "in_channels"] {
      let refusal = try #require(try error(conditionUNet) { $0[key] = 1_048_576 })
      #expect(refusal.description.contains(key))
    }
    let heads = try #require(try error(conditionUNet) { $0["attention_head_dim"] = [2, 3] })
    #expect(heads.description.contains("attention_head_dim"))
    #expect(try error(conditionUNet) { $0["transformer_layers_per_block"] = [[2], [1]] } != nil)
    #expect(try error(conditionUNet) { $0["addition_embed_type"] = "image" } != nil)
    #expect(try error(conditionUNet) { $0["num_attention_heads"] = 4 } != nil)
    let unknown = try #require(try error(dit) { $0["_class_name"] = "Nobody's" })
    #expect(unknown.description.contains("Nobody's"))
    #expect(unknown.description.contains("DiTTransformer2DModel"))
  }
}
