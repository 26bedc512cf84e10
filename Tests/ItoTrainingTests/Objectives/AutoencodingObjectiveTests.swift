import ItoComponents
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct AutoencodingObjectiveTests {
  /// A latent for each element: `mean = a·x`, a constant variance, decoded by a factor.
  private struct Scale: Module {
    var a = Tensor([2], shape: [1]), variance = Tensor([0.25], shape: [1])
    var back = Tensor([0.75], shape: [1])
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.parameter("a", &a)
      try v.parameter("variance", &variance)
      try v.parameter("back", &back)
    }
  }

  private func objective(_ weight: Double) -> AutoencodingObjective<Scale> {
    AutoencodingObjective(
      klWeight: weight,
      encode: { ($1 * $0.a, ($1 * 0) + $0.variance.log()) }, decode: { $1 * $0.back })
  }

  private let batch = ImageBatch(images: Tensor([1, -0.5, 0, 0.25], shape: [2, 1, 2, 1]))

  @Test("The loss is the absolute error and the divergence from unit normals, by hand")
  func loss() {
    var noise = NoiseSource(seed: 3, engine: .philox), copy = noise
    let draws = copy.normal(batch.images.shape).scalars
    let x = batch.images.scalars
    var (error, divergence) = (0.0, 0.0)
    for (value, draw) in zip(x, draws) {
      let z = 2 * value + 0.5 * draw
      error += Double(abs(0.75 * z - value)) / 4
      let mean = Double(2 * value)
      divergence += 0.5 * (mean * mean + 0.25 - 1 - Double(Float(0.25)).logarithm)
    }
    let found = objective(0.4).loss(of: Scale(), on: batch, noise: &noise).item
    #expect(abs(Double(found) - (error + 0.4 / 4 * divergence)) < 1e-5)
    // The next latents are other ones.
    #expect(objective(0.4).loss(of: Scale(), on: batch, noise: &noise).item != found)
  }

  @Test("Held-out measures: the error without noise, and nats for a latent element")
  func measures() {
    var noise = NoiseSource(seed: 3, engine: .philox)
    let found = objective(0).measures(of: Scale(), on: batch, noise: &noise)
    #expect(found.map(\.name) == ["loss", "mse", "kl"])
    // Decoded pictures are 1.5 times too bright.
    let squares = batch.images.sumOfSquares
    #expect(abs(found[1].value - 0.25 * squares / 4) < 1e-6)
    let expected = 0.5 * (4 * squares / 4 + 0.25 - 1 - 0.25.logarithm)
    #expect(abs(found[2].value - expected) < 1e-5)
  }

  @Test("The deviation is that of latents that are drawn, over all batches")
  func deviation() {
    let values: [Float] = [1, -0.5, 0, 0.25, 0.5, 0.75]
    let batches = [batch, ImageBatch(images: Tensor([0.5, 0.75], shape: [1, 1, 2, 1]))]
    let means = values.map { Double(2 * $0) }
    let mean = means.reduce(0, +) / 6
    let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6 + 0.25
    let found = objective(0).latentDeviation(of: Scale(), on: batches)
    #expect(abs(found - variance.squareRoot()) < 1e-6)
  }

  @Test("Gradients reach every parameter of an AutoencoderKL, as central differences confirm")
  func gradients() throws {
    let json: JSONValue = [
      "_class_name": "AutoencoderKL", "in_channels": 1, "out_channels": 1, "latent_channels": 2,
      "block_out_channels": [4, 8], "norm_num_groups": 2, "layers_per_block": 1,
      "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
      "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    ]
    var initial = ParameterInitializer(seed: 4)
    var seed: UInt64 = 0
    let network = try AutoencoderKL(configuration: json, &initial).mappingParameters { _, tensor in
      seed += 1
      return tensor + randomTensor(tensor.shape, seed: seed, scale: 0.05)
    }
    let objective = AutoencodingObjective<AutoencoderKL>(
      klWeight: 0.5, encode: { $0.encode($1) }, decode: { $0.decode($1) })
    let pictures = ImageBatch(images: randomTensor([2, 6, 4, 1], seed: 90))
    func loss(_ network: AutoencoderKL) -> Tensor {
      var noise = NoiseSource(seed: 1, engine: .philox)
      return objective.loss(of: network, on: pictures, noise: &noise)
    }
    let (_, gradients) = valueWithGradient(at: network) { loss($0) }
    for (path, tensor) in network.parameters {
      let gradient = try #require(gradients[path], "\(path)")
      let norm = gradient.sumOfSquares.squareRoot()
      if "\(path)".hasSuffix("to_k.bias") {
        // A constant added to every key changes no softmax.
        #expect(norm < 1e-5, "\(path)")
        continue
      }
      #expect(gradient.shape == tensor.shape && norm > 0, "\(path)")
      // Along the gradient itself: one number for the whole tensor. Small, for |x| has a kink.
      let h = 2e-3
      func moved(_ sign: Double) -> Double {
        let step = sign * h / norm
        return Double(
          loss(network.mappingParameters { $0 == path ? $1 + step * gradient : $1 }).item)
      }
      let difference = (moved(1) - moved(-1)) / (2 * h)
      #expect(abs(difference - norm) < 0.03 * norm + 2e-4, "\(path): \(difference), \(norm)")
    }
  }
}

extension Double {
  fileprivate var logarithm: Double { Double(Tensor([Float(self)], shape: [1]).log().item) }
}
