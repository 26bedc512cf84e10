import Foundation
import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Autoencoders as codecs")
struct FolderCodecTests {
  private static let network: JSONValue = [
    "_class_name": "AutoencoderKL", "in_channels": 1, "out_channels": 1, "latent_channels": 2,
    "block_out_channels": [4, 8], "norm_num_groups": 2, "layers_per_block": 1,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"], "scaling_factor": 0.5,
  ]
  private static let denoiser: JSONValue = [
    "_class_name": "DiTTransformer2DModel", "sample_size": 4, "patch_size": 2, "in_channels": 2,
    "out_channels": 2, "num_layers": 1, "num_attention_heads": 2, "attention_head_dim": 4,
    "num_embeds_ada_norm": 3,
  ]
  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "ito-\(UUID().uuidString)")

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  @discardableResult
  private func save(_ name: String, seed: UInt64) throws -> AutoencoderKL {
    try FileManager.default.createDirectory(
      atPath: path(name), withIntermediateDirectories: true)
    var initial = ParameterInitializer(seed: seed)
    let network = try AutoencoderKL(configuration: Self.network, &initial)
    try network.save(to: path(name + "/diffusion_pytorch_model.safetensors"))
    try AtomicFile.write(path(name + "/config.json"), bytes: Self.network.utf8(.pretty))
    return network
  }

  @Test("Pictures become the scaled means of their latents, and latents pictures")
  func codes() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try save("a", seed: 1)
    try save("b", seed: 2)
    let codec = try Registry<any LatentCodec>.builtin.make(
      ComponentChoice(parsing: "autoencoder:path=\(path("a"))"))
    #expect(try codec.latentShape(height: 8, width: 6, channels: 1, count: 3) == [3, 4, 3, 2])
    let x = randomTensor([3, 8, 6, 1], seed: 3)
    let z = codec.encode(x)
    #expect(relativeRMSError(z, 0.5 * network.encode(x).mean) < 1e-6)
    #expect(relativeRMSError(codec.decode(z), network.decode(2 * z)) < 1e-5)
    let same = try FolderCodec(path: path("a")), other = try FolderCodec(path: path("b"))
    #expect(codec.identity == same.identity && codec.identity != other.identity)
    #expect(throws: PipelineError.self) {
      try codec.latentShape(height: 8, width: 8, channels: 3, count: 1)
    }
    #expect(throws: PipelineError.self) {
      try codec.latentShape(height: 7, width: 8, channels: 1, count: 1)
    }
  }

  @Test("A folder that is none says so; the path is needed")
  func missing() throws {
    func reason(_ text: String) -> String {
      do {
        _ = try Registry<any LatentCodec>.builtin.make(try ComponentChoice(parsing: text))
      } catch { return "\(error)" }
      return "no error"
    }
    #expect(reason("autoencoder").contains("'path'"))
    #expect(reason("autoencoder:path=/nowhere").contains("/nowhere/config.json"))
  }

  @Test("A model folder finds its autoencoder in itself, wherever it is")
  func inModelFolder() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try save("model/autoencoder", seed: 1)
    var initial = ParameterInitializer(seed: 1)
    var seed: UInt64 = 7
    try DiT(configuration: Self.denoiser, &initial).mappingParameters { _, tensor in
      seed += 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.2)
    }.save(to: path("model/model.safetensors"))
    let manifest = ModelManifest(
      task: .generate, summary: "", network: Self.denoiser,
      codec: ComponentChoice("autoencoder", options: ["path": .string("autoencoder")]), height: 8,
      width: 8, channels: 1, labels: ["a", "b", "c"], spacing: ComponentChoice("linspace"), steps: 3
    )
    try AtomicFile.write(path("model/model.json"), bytes: manifest.json.utf8(.pretty))
    let picture = try ImageGenerator(path("model")).generateTensor(
      GenerationRequest(labels: [1], seed: 2))
    #expect(picture.shape == [1, 8, 8, 1] && picture.isFinite)
    #expect(
      ComponentChoice("autoencoder", options: ["path": .string("/a")]).relative(to: "b")
        .options["path"] == .string("/a"))
    #expect(ComponentChoice("pixels").relative(to: "b") == ComponentChoice("pixels"))
  }
}
