import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoImages
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A model folder with a tiny network of random weights, deleted with the value.
private final class TinyModel {
  let folder: String
  static let network: JSONValue = [
    "_class_name": "DiTTransformer2DModel", "sample_size": 4, "patch_size": 2, "in_channels": 4,
    "out_channels": 4, "num_layers": 1, "num_attention_heads": 2, "attention_head_dim": 4,
    "num_embeds_ada_norm": 3,
  ]

  init(_ change: (inout JSONObject) -> Void = { _ in }) throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array((base + "/ito-test-XXXXXX").utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
    var initial = ParameterInitializer(seed: 1)
    var seed: UInt64 = 7
    let network = try DiT(configuration: Self.network, &initial).mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.2)
    }
    try network.save(to: folder + "/model.safetensors")
    let manifest = ModelManifest(
      task: .generate, summary: "test", network: Self.network,
      codec: ComponentChoice("space-to-depth", options: ["size": 2]), height: 8, width: 8,
      channels: 1, labels: ["a", "b", "c"], solver: ComponentChoice("euler"),
      spacing: ComponentChoice("linspace"), steps: 4)
    guard case .object(var object) = manifest.json else { return }
    change(&object)
    try AtomicFile.write(folder + "/model.json", bytes: JSONValue.object(object).utf8(.pretty))
  }

  /// A generator of such a folder; the mapped weights outlive it.
  static func generator() throws -> ImageGenerator {
    let tiny = try TinyModel()
    return try withExtendedLifetime(tiny) { try ImageGenerator(folder: tiny.folder) }
  }

  deinit {
    unlink(folder + "/model.json")
    unlink(folder + "/model.safetensors")
    rmdir(folder)
  }
}

@Suite("Model folders")
struct ModelFolderTests {
  @Test("a manifest survives writing and reading")
  func manifest() throws {
    let tiny = try TinyModel()
    let manifest = try ModelManifest(folder: tiny.folder)
    #expect(try ModelManifest(manifest.json, file: "x") == manifest)
    #expect(manifest.codec.options["size"] == .int(2))
    var prompted = manifest
    prompted.textEncoder = "text_encoder"
    prompted.enlarger = "enlarger"
    #expect(try ModelManifest(prompted.json, file: "x") == prompted)
    for name in ["../other", "", ".hidden", "a/b"] {
      prompted.enlarger = name
      #expect(throws: PipelineError.self) { try ModelManifest(prompted.json, file: "x") }
    }
  }

  @Test("same request, same picture; picture k has seed + k whatever the batch")
  func seeds() throws {
    let generator = try TinyModel.generator()
    let all = try generator.generate(GenerationRequest(labels: [0, 1, 2, 1], seed: 5))
    #expect(all.count == 4)
    #expect(all[0].width == 8 && all[0].channels == 1)
    #expect(try generator.generate(GenerationRequest(labels: [0, 1, 2, 1], seed: 5)) == all)
    let small = try generator.generateTensor(
      GenerationRequest(labels: [0, 1, 2, 1], seed: 5, batchSize: 3))
    let whole = try generator.generateTensor(GenerationRequest(labels: [0, 1, 2, 1], seed: 5))
    #expect(mismatch(small, whole.scalars, absolute: 1e-4) == nil)
    let third = try generator.generateTensor(GenerationRequest(labels: [2], seed: 7))
    #expect(mismatch(third, whole.sliced(2..<3, axis: 0).scalars, absolute: 1e-4) == nil)
  }

  @Test("what a model draws when nothing is asked for is in its folder, and must be texts")
  func examples() throws {
    let model = try TinyModel { $0["examples"] = ["a red apple", "a dog"] }
    let manifest = try ModelManifest(folder: model.folder)
    #expect(manifest.examples == ["a red apple", "a dog"])
    #expect(try ModelManifest(manifest.json, file: "again").examples == manifest.examples)
    #expect(try ImageGenerator(folder: model.folder).defaults.examples == manifest.examples)
    let wrong = try TinyModel { $0["examples"] = ["a red apple", 3] }
    #expect(throws: PipelineError.self) { try ModelManifest(folder: wrong.folder) }
  }

  @Test("labels, guidance, size and precision reach the network")
  func options() throws {
    let tiny = try TinyModel()
    let generator = try ImageGenerator(folder: tiny.folder)
    func draw(_ change: (inout GenerationRequest) -> Void) throws -> Tensor {
      var request = GenerationRequest(labels: [0], seed: 1)
      change(&request)
      return try generator.generateTensor(request)
    }
    let base = try draw { _ in }
    #expect(try draw { $0.prompts = [Prompt("1")] }.scalars != base.scalars)
    #expect(
      try draw { $0.guidance = ComponentChoice("cfg", options: ["scale": 3]) }.scalars
        != base.scalars)
    #expect(try draw { $0.solver = ComponentChoice("heun") }.scalars != base.scalars)
    #expect(try draw { $0.height = 16 }.shape == [1, 16, 8, 1])
    let half = try ImageGenerator(folder: tiny.folder, precision: .bfloat16)
      .generateTensor(GenerationRequest(labels: [0], seed: 1))
    #expect(relativeRMSError(half, base) < 3e-2)
    #expect(relativeRMSError(half, base) > 0)
  }

  @Test("two tasks share one loaded model")
  func concurrent() async throws {
    let generator = try TinyModel.generator()
    let alone = try (0..<3).map {
      try generator.generateTensor(GenerationRequest(labels: [$0], seed: 9)).scalars
    }
    let together = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
      for label in 0..<3 {
        group.addTask {
          let request = GenerationRequest(labels: [label], seed: 9)
          return (label, try generator.generateTensor(request).scalars)
        }
      }
      return try await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
    }
    for label in 0..<3 { #expect(together[label] == alone[label]) }
  }

  @Test("progress is reported and a run can be cancelled inside")
  func progress() throws {
    let generator = try TinyModel.generator()
    var steps: [Int] = []
    _ = try generator.generate(
      GenerationRequest(labels: [0, 1], batchSize: 1),
      onStep: {
        steps.append($0.done)
        #expect($0.total == 8)
      })
    #expect(steps == Array(1...8))
    var calls = 0
    #expect(throws: PipelineError.self) {
      try generator.generate(
        GenerationRequest(labels: [0]),
        isCancelled: {
          calls += 1
          return calls > 2
        })
    }
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("what is wrong with a folder is said")
  func badFolders() throws {
    func loading(_ change: (inout JSONObject) -> Void) throws -> String {
      let tiny = try TinyModel(change)
      return withExtendedLifetime(tiny) { message { _ = try ImageGenerator(folder: tiny.folder) } }
    }
    #expect(try loading { $0["format"] = "other" }.contains("format"))
    #expect(try loading { $0["version"] = 2 }.contains("newer"))
    #expect(try loading { $0["weights"] = "../up" }.contains("weights"))
    #expect(try loading { $0["weights"] = "absent" }.contains("absent"))
    #expect(try loading { $0["codec"] = "zip" }.contains("zip"))
    #expect(
      try loading { $0["image"] = ["height": 0, "width": 8, "channels": 1] }.contains("height"))
    #expect(try loading { $0["task"] = "classify" }.contains("does not draw"))
    #expect(message { _ = try ImageGenerator(folder: "/nowhere") }.contains("/nowhere"))
    let tiny = try TinyModel()
    let weights = tiny.folder + "/model.safetensors"
    var bytes = try readFile(weights)
    bytes.replaceSubrange((bytes.count - 4)..., with: [0, 0, 0xC0, 0x7F])  // NaN
    try AtomicFile.write(weights, bytes: bytes)
    #expect(
      message { _ = try ImageGenerator(folder: tiny.folder) }.contains("NaN")
        || message { _ = try ImageGenerator(folder: tiny.folder) }.contains("finite"))
    try AtomicFile.write(weights, bytes: Array(bytes.prefix(100)))
    #expect(!message { _ = try ImageGenerator(folder: tiny.folder) }.isEmpty)
  }

  @Test("what is wrong with a request is said")
  func badRequests() throws {
    let generator = try TinyModel.generator()
    func asking(_ change: (inout GenerationRequest) -> Void) -> String {
      var request = GenerationRequest(labels: [0])
      change(&request)
      return message { _ = try generator.generate(request) }
    }
    #expect(asking { $0.prompts = [] }.contains("no picture"))
    #expect(asking { $0.prompts = [Prompt("3")] }.contains("0 to 2"))
    #expect(asking { $0.steps = 0 }.contains("steps"))
    #expect(asking { $0.height = 9 }.contains("multiple"))
    #expect(asking { $0.solver = ComponentChoice("heunn") }.contains("heun"))
    #expect(
      asking { $0.guidance = ComponentChoice("cfg", options: ["scala": 1]) }.contains("scale"))
  }
}
