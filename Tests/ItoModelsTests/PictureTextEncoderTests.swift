import ItoComponents
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

@Suite struct PictureTextEncoderTests {
  private let configuration: JSONValue = [
    "_class_name": "ItoPictureTextEncoder", "in_channels": 3, "patch_size": 2,
    "block_out_channels": [8, 16], "text_features": 12, "text_width": 10, "features": 6,
  ]

  private func network() throws -> PictureTextEncoder {
    var initial = ParameterInitializer(seed: 3)
    return try PictureTextEncoder(configuration: configuration, &initial)
  }

  @Test("Pictures and sentences become unit vectors of one space, each on its own")
  func unitVectors() throws {
    let network = try network()
    let pictures = randomTensor([3, 8, 8, 3], seed: 1)
    let texts = randomTensor([4, 12], seed: 2)
    for (vectors, count) in [(network.pictures(pictures), 3), (network.texts(texts), 4)] {
      #expect(vectors.shape == [count, 6])
      for norm in (vectors * vectors).sum(axes: [1]).scalars { #expect(abs(norm - 1) < 1e-5) }
    }
    let alone = network.pictures(pictures.sliced(1..<2, axis: 0))
    let whole = network.pictures(pictures).sliced(1..<2, axis: 0)
    #expect(mismatch(alone, whole.scalars, relative: 1e-5, absolute: 1e-6) == nil)
    // Length does not matter to the text side beyond its norm layer's epsilon.
    #expect(
      mismatch(
        network.texts(3 * texts), network.texts(texts).scalars, relative: 1e-3, absolute: 1e-4)
        == nil)
  }

  @Test("The scale starts at 1 / 0.07 and never passes 100")
  func scale() throws {
    var network = try network()
    #expect(abs(network.scale.item - 1 / 0.07) < 0.01)
    network = network.mappingParameters { path, tensor in
      path.last == "log_scale" ? Tensor([9], shape: [1]) : tensor
    }
    #expect(abs(network.scale.item - 100) < 0.01)
  }

  @Test("Widths that group norms cannot divide and unknown settings are refused")
  func refused() {
    for (key, value) in [("block_out_channels", JSONValue.array([12])), ("colour", 1)] {
      var changed = configuration.object ?? JSONObject()
      changed[key] = value
      var initial = ParameterInitializer(seed: 3)
      #expect(throws: ModelError.self) {
        try PictureTextEncoder(configuration: .object(changed), &initial)
      }
    }
  }

  @Test("A tower's features are what its last level comes to")
  func levels() {
    var initial = ParameterInitializer(seed: 4)
    let tower = ConvolutionTower(inChannels: 3, channels: [8, 16, 24], layersPerBlock: 1, &initial)
    let x = randomTensor([2, 16, 16, 3], seed: 1)
    let levels = tower.levels(x)
    #expect(levels.map(\.shape) == [[2, 16, 16, 8], [2, 8, 8, 16], [2, 4, 4, 24]])
    #expect(tower(x).shape == [2, 24])
  }
}
