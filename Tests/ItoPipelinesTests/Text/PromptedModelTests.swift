import ItoCheckpoints
import ItoComponents
import ItoDiffusion
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

/// A model folder for prompts: a tiny network of random weights, a tiny enlarger, the real text encoder.
private final class PromptedModel {
  let folder: String
  private static let network: JSONValue = [
    "_class_name": "ItoConvTransformer2DModel", "sample_size": 8, "in_channels": 3,
    "out_channels": 3, "block_out_channels": [8], "num_layers": 1, "num_attention_heads": 2,
    "attention_head_dim": 8, "cross_attention_dim": 384, "pooled_projection_dim": 384,
    "conditioning_dim": 12, "norm_num_groups": 4,
  ]
  private static let enlarger: JSONValue = [
    "_class_name": "ItoEnlarger", "factor": 4, "block_channels": 4, "num_blocks": 1,
  ]

  init() throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array((base + "/ito-prompted-XXXXXX").utf8CString)
    folder = String(cString: try #require(mkdtemp(&template)))
    let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    symlink(root + "/Models/emoji/text_encoder", folder + "/text_encoder")
    mkdir(folder + "/enlarger", 0o777)
    var initial = ParameterInitializer(seed: 1)
    try awake(try ConvTransformer(configuration: Self.network, &initial))
      .save(to: folder + "/model.safetensors")
    let large = awake(try Enlarger(configuration: Self.enlarger, &initial))
    // Stored in 8 bits: whatever is stored so can be read.
    try SafeTensors.write(
      RowQuantized.encoding(large.storedTensors), to: folder + "/enlarger/model.safetensors")
    let enlarging = ModelManifest(
      task: .enlarge, summary: "", network: Self.enlarger, height: 32, width: 32, channels: 3,
      labels: [])
    try write(enlarging, to: "enlarger/model.json")
    try write(
      ModelManifest(
        task: .generate, summary: "", network: Self.network,
        parameterization: ComponentChoice("clean"), codec: ComponentChoice("averaging"),
        height: 32, width: 32, channels: 3, labels: [], textEncoder: "text_encoder",
        enlarger: "enlarger", spacing: ComponentChoice("linspace"),
        guidance: ComponentChoice("cfg", options: ["scale": 2]), steps: 3), to: "model.json")
  }

  private func awake<M: Module>(_ module: M) -> M {
    var seed: UInt64 = 7
    return module.mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.2)
    }
  }

  private func write(_ manifest: ModelManifest, to name: String) throws {
    try AtomicFile.write(folder + "/" + name, bytes: manifest.json.utf8(.pretty))
  }

  deinit {
    for name in ["model.json", "model.safetensors", "enlarger/model.json"] {
      unlink(folder + "/" + name)
    }
    unlink(folder + "/enlarger/model.safetensors")
    unlink(folder + "/text_encoder")
    rmdir(folder + "/enlarger")
    rmdir(folder)
  }
}

@Suite("Models for prompts")
struct PromptedModelTests {
  @Test("Words reach the picture, alone and together with others; the picture is enlarged")
  func draws() throws {
    let model = try PromptedModel()
    let generator = try ImageGenerator(model.folder)
    #expect(generator.takesText)
    func draw(_ texts: [String], negative: String? = nil) throws -> Tensor {
      try generator.generateTensor(
        GenerationRequest(prompts: texts.map { Prompt($0, negative: negative) }, seed: 5))
    }
    let alone = try draw(["a red apple"])
    #expect(alone.shape == [1, 32, 32, 3])
    let pair = try draw(["a red apple", "a long prompt about a very old blue house"])
    #expect(mismatch(pair.sliced(0..<1, axis: 0), alone.scalars, absolute: 1e-4) == nil)
    #expect(relativeRMSError(try draw(["a slice of pizza"]), alone) > 1e-3)
    #expect(relativeRMSError(try draw(["a red apple"], negative: "a cat"), alone) > 1e-3)
  }
}
