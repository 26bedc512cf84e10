import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct EnlargementObjectiveTests {
  /// Repeats each pixel, times a factor that is learned.
  private struct Repeat: Module {
    var factor = Tensor([1], shape: [1])
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.parameter("factor", &factor)
    }
  }

  private func objective(noise: Double = 0) -> EnlargementObjective<Repeat> {
    EnlargementObjective(factor: 2, noise: noise, edges: 0.5) { model, x in
      x.resizedNearest(height: 2 * x.shape[1], width: 2 * x.shape[2]) * model.factor
    }
  }

  @Test("The loss is the absolute error and that of the differences, by hand")
  func loss() {
    // One block: 0 1 / 2 5, mean 2; the errors are 2 1 / 0 −3.
    let batch = ImageBatch(images: Tensor([0, 1, 2, 5], shape: [1, 2, 2, 1]))
    var noise = NoiseSource(seed: 1, engine: .philox)
    let loss = objective().loss(of: Repeat(), on: batch, noise: &noise).item
    // |error| 6/4; across −1 and −3: 2; down −2 and −4: 3.
    #expect(abs(loss - (1.5 + 0.5 * (2 + 3))) < 1e-6)
  }

  @Test("Noise is added to the small picture, and drawn anew from the stream")
  func noise() {
    let batch = ImageBatch(images: Tensor(zeros: [2, 8, 8, 1]))
    var first = NoiseSource(seed: 1, engine: .philox), again = first
    let a = objective(noise: 0.5).loss(of: Repeat(), on: batch, noise: &first).item
    let b = objective(noise: 0.5).loss(of: Repeat(), on: batch, noise: &again).item
    let c = objective(noise: 0.5).loss(of: Repeat(), on: batch, noise: &again).item
    #expect(a > 0 && a == b && b != c)
    var silent = NoiseSource(seed: 1, engine: .philox)
    #expect(objective().loss(of: Repeat(), on: batch, noise: &silent).item == 0)
  }

  @Test("Held-out measures compare with smooth enlargement")
  func measures() throws {
    let batch = ImageBatch(images: randomTensor([1, 4, 4, 1], seed: 1))
    var noise = NoiseSource(seed: 1, engine: .philox)
    let measures = objective().measures(of: Repeat(), on: batch, noise: &noise)
    #expect(measures.map(\.name) == ["loss", "mse", "mse_bilinear"])
    let small = batch.images.averagePooled(window: 2)
    let error = small.resizedNearest(height: 4, width: 4) - batch.images
    #expect(abs(measures[1].value - Double(error.squared().mean().item)) < 1e-6)
  }
}
