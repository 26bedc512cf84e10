import Foundation
import ItoCheckpoints
import ItoComponents
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Conversion of model folders")
struct ItoModelConversionTests {
  private static let network: JSONValue = [
    "_class_name": "DiTTransformer2DModel", "sample_size": 8, "patch_size": 2, "in_channels": 3,
    "out_channels": 3, "num_layers": 1, "num_attention_heads": 2, "attention_head_dim": 16,
    "num_embeds_ada_norm": 3,
  ]
  private static let enlarger: JSONValue = [
    "_class_name": "ItoEnlarger", "factor": 4, "block_channels": 8, "num_blocks": 1,
  ]
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "ito-\(UUID().uuidString)")
    try make("model")
    var initial = ParameterInitializer(seed: 1)
    try awake(DiT(configuration: Self.network, &initial)).save(to: path("model/model.safetensors"))
    try write(
      ModelManifest(
        task: .generate, summary: "", network: Self.network, codec: ComponentChoice("averaging"),
        height: 32, width: 32, channels: 3, labels: ["a", "b", "c"], enlarger: "enlarger",
        spacing: ComponentChoice("linspace"), steps: 3), "model")
    try make("model/enlarger")
    try awake(Enlarger(configuration: Self.enlarger, &initial))
      .save(to: path("model/enlarger/model.safetensors"))
    try write(
      ModelManifest(
        task: .enlarge, summary: "", network: Self.enlarger, height: 32, width: 32, channels: 3,
        labels: []), "model/enlarger")
    try Data("words".utf8).write(to: folder.appending(path: "model/LICENCES"))
    try Data("{}".utf8).write(to: folder.appending(path: "model/.hidden"))
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func make(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: true)
  }

  private func write(_ manifest: ModelManifest, _ name: String) throws {
    try AtomicFile.write(path(name) + "/model.json", bytes: manifest.json.utf8(.pretty))
  }

  private func awake<M: Module>(_ module: M) -> M {
    var seed: UInt64 = 7
    return module.mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.2)
    }
  }

  private func draw(_ name: String) throws -> Tensor {
    try ImageGenerator(path(name)).generateTensor(GenerationRequest(labels: [0, 1], seed: 5))
  }

  @Test("A model in 8 bits with its parts is a quarter of its size and draws nearly the same")
  func inBytes() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var conversion = ModelConversion(from: path("model"), to: path("small"))
    conversion.dtype = .int8
    let report = try conversion.run()
    #expect(report.lacking.isEmpty)
    let ratio = Double(report.bytesAfter) / Double(report.bytesBefore)
    #expect((0.25..<0.35).contains(ratio), "\(ratio)")
    // Evenly spread numbers: a step is 1/127 of a row's largest, and the error a uniform one in it.
    let error = try #require(report.relativeError)
    #expect((0.002..<0.008).contains(error), "\(error)")
    let size = try ["model.safetensors", "enlarger/model.safetensors"].reduce(0) {
      try $0 + SafeTensors(path: path("small/\($1)")).contents.reduce(0) { $0 + $1.byteCount }
    }
    #expect(report.bytesAfter == size)
    #expect(try Data(contentsOf: folder.appending(path: "small/LICENCES")) == Data("words".utf8))
    #expect(!FileManager.default.fileExists(atPath: path("small/.hidden")))
    let before = try draw("model"), after = try draw("small")
    #expect((1e-5..<0.1).contains(relativeRMSError(after, before)))

    // As it is, and from 8 bits to 8 bits: not a bit changes. To float32: what the 8 bits say.
    for (name, type) in [("copy", nil), ("again", DType.int8), ("wide", .float32)] {
      var next = ModelConversion(from: path("small"), to: path(name))
      next.dtype = type
      #expect(try next.run().relativeError ?? 0 == 0, "\(name)")
      #expect(try draw(name).scalars == after.scalars, "\(name)")
      let (a, b) = (
        try Data(contentsOf: folder.appending(path: "small/model.safetensors")),
        try Data(contentsOf: folder.appending(path: "\(name)/model.safetensors"))
      )
      #expect((a == b) == (name != "wide"), "\(name)")
    }
  }

  @Test("A folder that is no model, or has itself as a part, leaves nothing behind")
  func failures() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    func reason() -> String {
      do { _ = try ModelConversion(from: path("model"), to: path("other")).run() } catch {
        return error.description
      }
      return "no error"
    }
    symlink(path("model"), path("model/loop"))
    #expect(reason().contains("a link to itself"))
    unlink(path("model/loop"))
    try Data("{}".utf8).write(to: folder.appending(path: "model/model.json"))
    #expect(reason().contains("ito-model"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model"])
  }
}
