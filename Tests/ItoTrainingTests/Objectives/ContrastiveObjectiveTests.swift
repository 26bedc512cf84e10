import ItoDiffusion
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

/// Two matrices that take flattened pictures and sentence vectors to one space.
private struct TwoTowers: Module {
  var picture = randomTensor([6, 16], seed: 1, scale: 0.3)
  var text = randomTensor([6, 5], seed: 2, scale: 0.3)

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("picture", &picture)
    try v.parameter("text", &text)
  }

  static let objective = ContrastiveObjective<TwoTowers> { model, pictures, sentences in
    let x = pictures.reshaped(to: [pictures.shape[0], -1]).linear(model.picture)
    return (x, sentences.linear(model.text), Tensor([2], shape: [1]))
  }
}

@Suite struct ContrastiveObjectiveTests {
  private func batch(_ sentences: Tensor, seed: UInt64 = 3) -> ImageBatch {
    ImageBatch(
      images: randomTensor([sentences.shape[0], 4, 4, 1], seed: seed),
      conditioning: Conditioning(pooled: sentences))
  }

  /// The loss by plain loops, `same[i]` the captions that equal caption i.
  private func expected(_ batch: ImageBatch, _ same: [[Int]]) -> Double {
    let model = TwoTowers()
    let encoded = TwoTowers.objective.encode(model, batch.images, batch.conditioning.pooled!)
    let count = same.count
    let a = encoded.pictures.scalars.map(Double.init), b = encoded.texts.scalars.map(Double.init)
    func logit(_ i: Int, _ j: Int) -> Double {
      2 * (0..<6).reduce(0) { $0 + a[i * 6 + $1] * b[j * 6 + $1] }
    }
    var sum = 0.0
    for i in 0..<count {
      let rows = log((0..<count).reduce(0) { $0 + exp(logit(i, $1)) })
      let columns = log((0..<count).reduce(0) { $0 + exp(logit($1, i)) })
      for j in same[i] {
        sum += (rows - logit(i, j) + columns - logit(j, i)) / Double(same[i].count)
      }
    }
    return sum / 2 / Double(count)
  }

  @Test("The loss is the mean of both cross entropies; equal captions share the target")
  func loss() {
    var noise = NoiseSource(seed: 1, engine: .philox)
    let distinct = batch(randomTensor([5, 5], seed: 7))
    let loss = TwoTowers.objective.loss(of: TwoTowers(), on: distinct, noise: &noise).item
    #expect(abs(Double(loss) - expected(distinct, (0..<5).map { [$0] })) < 1e-5)

    let rows = randomTensor([3, 5], seed: 7)
    let repeated = batch(rows.indexSelected(Tensor([Int64(0), 1, 0, 2], shape: [4])))
    let shared = TwoTowers.objective.loss(of: TwoTowers(), on: repeated, noise: &noise).item
    #expect(abs(Double(shared) - expected(repeated, [[0, 2], [1], [0, 2], [3]])) < 1e-5)
  }

  @Test("Training makes pictures find their captions")
  func learns() throws {
    let data = batch(randomTensor([8, 5], seed: 9))
    var trainer = Trainer(
      TwoTowers(), objective: TwoTowers.objective, optimizer: AdamW(weightDecay: 0),
      learningRate: LearningRate(peak: 0.05, totalSteps: 200), options: TrainerOptions(averages: [])
    )
    func measure(_ name: String) -> Double {
      trainer.measures(on: [(data, 8)]).first { $0.name == name }?.value ?? .nan
    }
    let before = measure("loss")
    for _ in 0..<150 { try trainer.step([data]) }
    #expect(measure("loss") < 0.3 * before)
    #expect(measure("retrieval") == 1)
  }
}
