import ItoComponents
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

@Suite("Enlarger")
struct EnlargerTests {
  private func make() throws -> Enlarger {
    var initial = ParameterInitializer(seed: 1)
    let settings: JSONValue = [
      "_class_name": "ItoEnlarger", "in_channels": 2, "factor": 3, "block_channels": 4,
      "num_blocks": 1,
    ]
    return try Enlarger(configuration: settings, &initial)
  }

  @Test("A fresh network enlarges smoothly")
  func fresh() throws {
    let x = randomTensor([2, 4, 5, 2], seed: 1)
    let y = try make()(x)
    #expect(y.shape == [2, 12, 15, 2])
    #expect(y.scalars == x.resizedBilinear(height: 12, width: 15).scalars)
  }

  @Test("Each pixel of a block has its own output, in its own place")
  func places() throws {
    let awake = try make().mappingParameters { path, tensor in
      guard path.description == "conv_out.bias" else { return Tensor(zeros: tensor.shape) }
      return Tensor((0..<tensor.shape.count).map(Float.init), shape: tensor.shape)
    }
    let y = awake(Tensor(zeros: [1, 2, 2, 2]))
    #expect(Array(y.scalars.prefix(12)) == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    #expect(Array(y.scalars[12..<18]) == [6, 7, 8, 9, 10, 11])
  }

  @Test("Every parameter learns")
  func gradients() throws {
    var seed: UInt64 = 10
    let network = try make().mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.3)
    }
    let x = randomTensor([1, 4, 4, 2], seed: 2)
    let (_, gradients) = valueWithGradient(at: network) { $0(x).squared().mean() }
    for (path, _) in network.parameters {
      let gradient = try #require(gradients[path], "\(path)")
      #expect(gradient.isFinite && gradient.scalars.contains { $0 != 0 })
    }
  }

  @Test("A factor that is too large is refused")
  func refused() {
    var initial = ParameterInitializer(seed: 1)
    let settings: JSONValue = ["_class_name": "ItoEnlarger", "factor": 17]
    #expect(throws: ModelError.self) { try Enlarger(configuration: settings, &initial) }
  }
}
