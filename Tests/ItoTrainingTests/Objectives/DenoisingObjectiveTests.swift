import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct DenoisingObjectiveTests {
  private func batch(_ count: Int = 6) throws -> ImageBatch {
    try ImageBatches(tinyPictures(), seed: 1).batch(at: 0, count: count)
  }

  @Test("The loss is the weighted mean over samples, computed one by one")
  func loss() throws {
    let model = tinyDenoiser()
    let batch = try batch()
    let objective = DenoisingObjective<TinyBackbone>(
      times: LogitNormalTimes(), weighting: MinSNRWeighting(gamma: 2))
    var noise = NoiseSource(seed: 7, engine: .philox)
    let loss = objective.loss(of: model, on: batch, noise: &noise)
    #expect(loss.shape.count == 1)

    var again = NoiseSource(seed: 7, engine: .philox)
    let levels = objective.levels(count: 6, on: model.schedule, noise: &again)
    let drawn = again.normal(batch.images.shape)
    var sum = 0.0
    for i in 0..<6 {
      let level = levels[i]
      let clean = batch.images.sliced(i..<(i + 1), axis: 0)
      let own = drawn.sliced(i..<(i + 1), axis: 0)
      let x = level.alpha * clean + level.sigma * own
      let k = model.parameterization.preconditioning(at: level)
      let output = model.backbone(
        k.input * x, time: Tensor([Float(k.conditioningTime)], shape: [1]),
        conditioning: Conditioning(label: Tensor([batch.labels[i]], shape: [1])),
        context: EvaluationContext(training: true))
      let error = output - (own - clean)
      let weight =
        min(2, level.alpha * level.alpha / (level.sigma * level.sigma)) * k.output * k.output
      sum += weight * Double((error * error).mean().item)
    }
    #expect(abs(Double(loss.item) - sum / 6) < 1e-5 * sum)
  }

  @Test(
    "The clean error is that of the estimates, whatever the network predicts and is trained for")
  func cleanError() throws {
    let batch = try batch()
    for parameterization in [FlowPrediction() as any Parameterization, VPrediction()] {
      var model = tinyDenoiser()
      model.parameterization = parameterization
      var plain = DenoisingObjective<TinyBackbone>()
      var noise = NoiseSource(seed: 7, engine: .philox)
      let measured = plain.measures(of: model, on: batch, noise: &noise)
      let error = try #require(measured.first { $0.name == "clean_error" }).value

      // The loss draws first: a level for each sample, then its noise.
      var again = NoiseSource(seed: 7, engine: .philox)
      _ = plain.levels(count: 6, on: model.schedule, noise: &again)
      _ = again.normal(batch.images.shape)
      let drawn = again.normal(batch.images.shape)
      var sum = 0.0
      for i in 0..<6 {
        let q = (Double(i) + 0.5) / 6
        let level = model.schedule.level(noiseToSignal: q / (1 - q))
        let clean = batch.images.sliced(i..<(i + 1), axis: 0)
        let x = level.alpha * clean + level.sigma * drawn.sliced(i..<(i + 1), axis: 0)
        let estimate = try model.denoise(
          x, at: level, given: Conditioning(label: Tensor([batch.labels[i]], shape: [1])),
          context: EvaluationContext())
        sum += Double(((estimate - clean) * (estimate - clean)).mean().item)
      }
      #expect(abs(error - sum / 6) < 1e-4 * error)
      plain.weighting = MinSNRWeighting()
      plain.dropout = 0.5
      var third = NoiseSource(seed: 7, engine: .philox)
      let other = plain.measures(of: model, on: batch, noise: &third)
      #expect(other.first { $0.name == "clean_error" }?.value == error)
    }
  }

  @Test("Dropout replaces the given share of labels by the null class, and nothing else")
  func dropout() throws {
    let objective = DenoisingObjective<TinyBackbone>(dropout: 0.25, nullLabel: 3)
    let label = Tensor((0..<2000).map { Int32($0 % 3) }, shape: [2000])
    let pooled = randomTensor([2000, 2], seed: 1)
    var noise = NoiseSource(seed: 7, engine: .philox)
    let dropped = objective.dropping(
      from: Conditioning(pooled: pooled, label: label), count: 2000, noise: &noise)
    let labels = try #require(dropped.label).integers
    let nulls = labels.count { $0 == 3 }
    // Six standard deviations.
    #expect(abs(nulls - 500) < 117)
    #expect(labels.enumerated().allSatisfy { $1 == 3 || $1 == $0 % 3 })
    #expect(dropped.pooled?.scalars == pooled.scalars)
  }

  @Test("Encoded captions are dropped with the label")
  func tokens() throws {
    let blank = Conditioning(
      tokens: Tensor(repeating: 9, shape: [1, 4, 2]), label: Tensor([Int32(3)], shape: [1]))
    let objective = DenoisingObjective<TinyBackbone>(dropout: 0.5, unconditional: blank)
    var noise = NoiseSource(seed: 7, engine: .philox)
    let given = Conditioning(
      tokens: randomTensor([40, 4, 2], seed: 1), label: Tensor(zeros: [40], dtype: .int32))
    let dropped = objective.dropping(from: given, count: 40, noise: &noise)
    let labels = try #require(dropped.label).integers
    let tokens = try #require(dropped.tokens)
    #expect(Set(labels) == [0, 3])
    for i in 0..<40 {
      let own = tokens.sliced(i..<(i + 1), axis: 0).scalars
      let expected =
        labels[i] == 3
        ? [Float](repeating: 9, count: 8) : given.tokens!.sliced(i..<(i + 1), axis: 0).scalars
      #expect(own == expected)
    }
  }

  @Test("Prompts of any length lose their tokens by the mask")
  func prompts() throws {
    let blank = Conditioning(
      tokens: Tensor(zeros: [1, 1, 2]), pooled: Tensor(zeros: [1, 3]),
      mask: Tensor([false], shape: [1, 1]))
    let objective = DenoisingObjective<TinyBackbone>(dropout: 0.5, unconditional: blank)
    var noise = NoiseSource(seed: 7, engine: .philox)
    let given = Conditioning(
      tokens: randomTensor([40, 4, 2], seed: 1), pooled: Tensor(repeating: 1, shape: [40, 3]),
      mask: Tensor([Bool](repeating: true, count: 160), shape: [40, 4]))
    let dropped = objective.dropping(from: given, count: 40, noise: &noise)
    let pooled = try #require(dropped.pooled).scalars
    let mask = try #require(dropped.mask).scalars
    #expect(dropped.tokens?.shape == [40, 4, 2])
    #expect(Set(pooled) == [0, 1])
    for i in 0..<40 { #expect(Set(mask[(4 * i)..<(4 * i + 4)]) == [pooled[3 * i]]) }
  }

  @Test("Velocity weighting of a clean estimate is the plain error of a flow")
  func velocity() {
    let flow = RectifiedFlow()
    for time in [0.15, 0.5, 0.9] {
      let level = flow.level(at: time)
      let clean = VelocityWeighting().outputWeight(
        at: level, CleanPrediction().preconditioning(at: level))
      #expect(abs(clean * level.sigma * level.sigma - 1) < 1e-12)
      let velocity = VelocityWeighting().outputWeight(
        at: level, FlowPrediction().preconditioning(at: level))
      #expect(abs(velocity - 1) < 1e-12)
    }
    let near = flow.level(at: 0.01)
    let bounded = VelocityWeighting(floor: 0.1).outputWeight(
      at: near, CleanPrediction().preconditioning(at: near))
    #expect(abs(bounded - 100) < 1e-9)
  }

  @Test(
    "Every combination of sampling and weighting gives a finite loss and gradients",
    arguments: Registry<any TimeSampling>.builtin.names, Registry<any LossWeighting>.builtin.names)
  func combinations(times: String, weighting: String) throws {
    let objective = DenoisingObjective<TinyBackbone>(
      times: try Registry<any TimeSampling>.builtin.make(times),
      weighting: try Registry<any LossWeighting>.builtin.make(weighting), dropout: 0.5, nullLabel: 3
    )
    let batch = try batch()
    for (schedule, parameterization) in [
      (RectifiedFlow(), FlowPrediction()), (Cosine(), VPrediction()),
      (VarianceExploding(), KarrasPreconditioning()), (LinearBeta(), NoisePrediction()),
    ] as [(any NoiseSchedule, any Parameterization)] {
      let model = PreconditionedDenoiser(
        tinyDenoiser().backbone, schedule: schedule, parameterization: parameterization)
      var noise = NoiseSource(seed: 7, engine: .philox)
      let (value, gradients) = valueWithGradient(at: model) {
        objective.loss(of: $0, on: batch, noise: &noise)
      }
      #expect(value.item.isFinite)
      #expect(gradients.byPath.count == 6)
      #expect(!gradients.byPath.values.contains { !$0.isFinite })
    }
  }
}
