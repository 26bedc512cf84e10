import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct MaskedDenoisingObjectiveTests {
  /// Tokens of 2×2 pixels, scaled by each of three blocks: what it gives is known in closed form.
  private struct Scaling: Backbone {
    var factors = Tensor([0.5, 2, 3], shape: [3, 1])
    func callAsFunction(
      _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
    ) -> Tensor {
      var hidden = x.spaceToDepth(size: 2).reshaped(to: [x.shape[0], -1, 4])
      for i in 0..<3 {
        let factor = factors.sliced(i..<(i + 1), axis: 0).reshaped(to: [1])
        hidden = context.run(.block(index: i, count: 3), on: hidden) { $0 * factor }
      }
      return hidden.reshaped(to: [x.shape[0], x.shape[1] / 2, x.shape[2] / 2, 4])
        .depthToSpace(size: 2)
    }
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.parameter("factors", &factors)
    }
  }

  private func model(_ tokens: Int = 6) -> PreconditionedDenoiser<MaskedBackbone<Scaling>> {
    var initial = ParameterInitializer(seed: 2)
    return PreconditionedDenoiser(
      MaskedBackbone(Scaling(), patch: 2, tokens: tokens, features: 4, &initial),
      schedule: RectifiedFlow(), parameterization: FlowPrediction())
  }

  private let batch = ImageBatch(images: randomTensor([3, 4, 6, 1], seed: 1))
  private let plain = DenoisingObjective<Scaling>()
  private func noise() -> NoiseSource { NoiseSource(seed: 9, engine: .philox) }

  @Test("Seen tokens are denoised and hidden ones reconstructed from stand-ins, by hand")
  func loss() {
    let masking = TokenMasking(share: 0.5, decoder: 1, weight: 0.3)
    let model = model()
    var source = noise(), again = noise()
    let found = MaskedDenoisingObjective(plain, masking: masking)
      .loss(of: model, on: batch, noise: &source).item

    let draw = plain.draw(batch, on: model.schedule, noise: &again)
    var own = again.stream(0)
    let hidden = Set(masking.hidden(batch: 3, tokens: 6, noise: &own).map(Int.init))
    #expect(hidden.count == 9)
    let standIns = model.backbone.standIns.scalars
    let (clean, unit) = (draw.clean.scalars, draw.noise.scalars)
    var (seen, gaps) = (0.0, 0.0)
    for sample in 0..<3 {
      let level = draw.levels[sample]
      for y in 0..<4 {
        for x in 0..<6 {
          let i = (sample * 4 + y) * 6 + x
          let token = y / 2 * 3 + x / 2, feature = y % 2 * 2 + x % 2
          let input = level.alpha * Double(clean[i]) + level.sigma * Double(unit[i])
          if hidden.contains(sample * 6 + token) {
            // The last block sees it, by its stand-in.
            let output = 3 * Double(standIns[token * 4 + feature])
            gaps += (output - input) * (output - input) / 36
          } else {
            let error = 3 * input - (Double(unit[i]) - Double(clean[i]))
            seen += error * error / 36
          }
        }
      }
    }
    #expect(abs(Double(found) - (seen + 0.3 * gaps)) < 1e-4 * Double(found))
  }

  @Test("With nothing hidden it is the plain objective; held-out measures always are")
  func off() {
    let model = model(), bare = model.replacingBackbone(model.backbone.backbone)
    let masked = MaskedDenoisingObjective(plain, masking: TokenMasking(share: 0, decoder: 1))
    var a = noise(), b = noise()
    #expect(
      masked.loss(of: model, on: batch, noise: &a).item
        == plain.loss(of: bare, on: batch, noise: &b).item)
    let half = MaskedDenoisingObjective(plain, masking: TokenMasking(share: 0.5, decoder: 1))
    let (x, y) = (
      half.measures(of: model, on: batch, noise: &a), plain.measures(of: bare, on: batch, noise: &b)
    )
    #expect(x.map(\.name) == y.map(\.name) && x.map(\.value) == y.map(\.value))
  }

  @Test("At least one token of each sample is seen; each sample has its own")
  func choice() {
    var source = noise()
    let masking = TokenMasking(share: 0.95, decoder: 1)
    #expect(masking.hiddenCount(of: 4) == 3 && masking.hiddenCount(of: 1) == 0)
    let hidden = TokenMasking(share: 0.5, decoder: 1).hidden(batch: 8, tokens: 16, noise: &source)
    let rows = (0..<8).map { sample in hidden.filter { $0 / 16 == sample }.map { $0 % 16 } }
    #expect(rows.allSatisfy { $0.count == 8 && $0 == $0.sorted() } && Set(rows).count > 4)
  }

  @Test("Gradients of a DiT and of its stand-ins, as central differences confirm")
  func gradients() throws {
    let json: JSONValue = [
      "_class_name": "DiTTransformer2DModel", "sample_size": 6, "patch_size": 2, "in_channels": 2,
      "out_channels": 2, "num_layers": 3, "num_attention_heads": 2, "attention_head_dim": 4,
      "num_embeds_ada_norm": 3, "shares_conditioning": true,
    ]
    var initial = ParameterInitializer(seed: 3)
    var seed: UInt64 = 20
    let network = try DiT(configuration: json, &initial).mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.3)
    }
    let squares = try #require(network.tokenSquares)
    #expect(squares == TokenSquares(side: 2, features: 8))
    let model = PreconditionedDenoiser(
      MaskedBackbone(network, patch: 2, tokens: 9, features: 8, &initial),
      schedule: RectifiedFlow(), parameterization: FlowPrediction())
    let names = model.parameters.map { "\($0.path)" }
    #expect(names.contains("backbone.mask_tokens") && names.contains("backbone.proj_out_2.weight"))
    let objective = MaskedDenoisingObjective(
      DenoisingObjective<DiT>(), masking: TokenMasking(share: 0.5, decoder: 1, weight: 0.5))
    let pictures = ImageBatch(
      images: randomTensor([2, 6, 6, 2], seed: 4), labels: [0, 2])
    func loss(_ model: PreconditionedDenoiser<MaskedBackbone<DiT>>) -> Tensor {
      var source = noise()
      return objective.loss(of: model, on: pictures, noise: &source)
    }
    let (_, gradients) = valueWithGradient(at: model) { loss($0) }
    for name in ["mask_tokens", "pos_embed.proj.weight", "transformer_blocks.2.attn1.to_v.weight"] {
      let path = try #require(model.parameters.first { "\($0.path)" == "backbone." + name }?.path)
      let gradient = try #require(gradients[path])
      let norm = gradient.sumOfSquares.squareRoot()
      let h = 2.5e-3
      func moved(_ sign: Double) -> Double {
        let step = sign * h / norm
        return Double(loss(model.mappingParameters { $0 == path ? $1 + step * gradient : $1 }).item)
      }
      let difference = (moved(1) - moved(-1)) / (2 * h)
      #expect(abs(difference - norm) < 0.005 * norm + 1e-4, "\(name): \(difference), \(norm)")
    }
  }

  @Test("A masked model learns, and draws as the bare network")
  func trained() throws {
    let json: JSONValue = [
      "_class_name": "DiTTransformer2DModel", "sample_size": 4, "patch_size": 1, "in_channels": 1,
      "out_channels": 1, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
      "num_embeds_ada_norm": 3,
    ]
    var initial = ParameterInitializer(seed: 3)
    let network = try DiT(configuration: json, &initial)
    let model = PreconditionedDenoiser(
      MaskedBackbone(network, patch: 1, tokens: 16, features: 16, &initial),
      schedule: RectifiedFlow(), parameterization: FlowPrediction())
    let objective = MaskedDenoisingObjective(
      DenoisingObjective<DiT>(), masking: TokenMasking(share: 0.5, decoder: 1))
    var trainer = Trainer(
      model, objective: objective, optimizer: AdamW(),
      learningRate: LearningRate(peak: 5e-3, totalSteps: 60, decay: ConstantRate()),
      options: TrainerOptions(seed: 1, averages: []))
    let batches = try ImageBatches(try tinyPictures(), seed: 1)
    func error(_ model: PreconditionedDenoiser<MaskedBackbone<DiT>>) -> Double {
      var source = noise()
      return objective.measures(of: model, on: batches.batch(at: 0, count: 32), noise: &source)[1]
        .value
    }
    let before = error(trainer.model)
    for step in 0..<60 { try trainer.step([batches.batch(at: 16 * step, count: 16)]) }
    #expect(error(trainer.model) < 0.7 * before)
    #expect(trainer.model.backbone.standIns.scalars != model.backbone.standIns.scalars)
    let x = randomTensor([1, 4, 4, 1], seed: 5), level = RectifiedFlow().level(at: 0.4)
    func drawn(_ model: some Denoiser) throws -> [Float] {
      try model.denoise(x, at: level, given: Conditioning(), context: EvaluationContext()).scalars
    }
    #expect(
      try drawn(trainer.model)
        == drawn(trainer.model.replacingBackbone(trainer.model.backbone.backbone)))
  }
}
