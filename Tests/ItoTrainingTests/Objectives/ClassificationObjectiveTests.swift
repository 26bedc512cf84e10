import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

private struct LinearClassifier: Module {
  var weight: Tensor
  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &weight)
  }
  static func logits(_ model: LinearClassifier, _ x: Tensor) -> Tensor {
    x.reshaped(to: [x.shape[0], -1]).linear(model.weight, bias: nil)
  }
}

@Suite struct ClassificationObjectiveTests {
  private let model = LinearClassifier(weight: randomTensor([3, 16], seed: 1))

  private func batch(_ count: Int = 12) throws -> ImageBatch {
    try ImageBatches(tinyPictures(), seed: 1).batch(at: 0, count: count)
  }

  @Test("Cross entropy as its definition says", arguments: [0.0, 0.1])
  func loss(smoothing: Double) throws {
    let batch = try batch()
    let objective = ClassificationObjective<LinearClassifier>(
      smoothing: smoothing, logits: LinearClassifier.logits)
    var noise = NoiseSource(seed: 1, engine: .philox)
    let found = objective.loss(of: model, on: batch, noise: &noise)
    let rows = LinearClassifier.logits(model, batch.images).scalars.map(Double.init)
    var sum = 0.0
    for i in 0..<12 {
      let row = rows[(3 * i)..<(3 * i + 3)]
      let total = log(row.reduce(0) { $0 + exp($1) })
      for (c, value) in row.enumerated() {
        let target = (c == Int(batch.labels[i]) ? 1 - smoothing : 0) + smoothing / 3
        sum -= target * (value - total)
      }
    }
    #expect(abs(Double(found.item) - sum / 12) < 1e-5)
  }

  @Test("Its gradient agrees with central differences")
  func gradient() throws {
    let batch = try batch()
    let objective = ClassificationObjective<LinearClassifier>(
      smoothing: 0.1, logits: LinearClassifier.logits)
    let report = checkGradients(
      of: { inputs in
        var noise = NoiseSource(seed: 1, engine: .philox)
        return objective.loss(of: LinearClassifier(weight: inputs[0]), on: batch, noise: &noise)
      }, at: [model.weight])
    #expect(report.failure == nil)
  }

  @Test("Measures are the loss without smoothing and the share that is right")
  func measures() throws {
    let batch = try batch()
    let objective = ClassificationObjective<LinearClassifier>(
      smoothing: 0.3, logits: LinearClassifier.logits)
    var noise = NoiseSource(seed: 1, engine: .philox)
    let found = objective.measures(of: model, on: batch, noise: &noise)
    #expect(found.map(\.name) == ["loss", "accuracy"])
    let plain = ClassificationObjective<LinearClassifier>(logits: LinearClassifier.logits)
    #expect(found[0].value == Double(plain.loss(of: model, on: batch, noise: &noise).item))
    let rows = LinearClassifier.logits(model, batch.images).scalars
    let right = (0..<12).count { i in
      let row = Array(rows[(3 * i)..<(3 * i + 3)])
      return row[Int(batch.labels[i])] == row.max()
    }
    #expect(found[1].value == Double(right) / 12)
  }

  @Test("A classifier learns classes that can be told apart")
  func learns() throws {
    var trainer = Trainer(
      model,
      objective: ClassificationObjective<LinearClassifier>(logits: LinearClassifier.logits),
      optimizer: AdamW(), learningRate: LearningRate(peak: 0.05, totalSteps: 60),
      options: TrainerOptions(averages: []))
    let data = try ImageBatches(tinyPictures(), seed: 1)
    for step in 0..<60 { try trainer.step([data.batch(at: 16 * step, count: 16)]) }
    let accuracy = trainer.measures(on: [(data.batch(at: 0, count: 50), 50)]).last?.value
    #expect(accuracy == 1)
  }
}
