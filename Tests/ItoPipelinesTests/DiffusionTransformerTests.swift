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

@Suite("Diffusion transformers of classes, as folders of a hub")
struct DiffusionTransformerTests {
  private static let names = [
    "tench, Tinca tinca", "great white shark, white shark", "tiger shark, Galeocerdo cuvieri",
    "tiger, Panthera tigris", "crane", "crane",
  ]
  /// As published: of the class that once served every transformer.
  private static let network: JSONValue = [
    "_class_name": "Transformer2DModel", "sample_size": 4, "patch_size": 2, "in_channels": 4,
    "out_channels": 8, "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 8,
    "num_embeds_ada_norm": 6, "norm_type": "ada_norm_zero", "norm_elementwise_affine": false,
    "num_vector_embeds": nil, "only_cross_attention": false, "use_linear_projection": false,
    "cross_attention_dim": nil, "attention_bias": true, "activation_fn": "gelu-approximate",
  ]

  private func folder(_ network: JSONValue = network, named: Bool = true) throws -> Folder {
    let folder = try Folder()
    var index: JSONObject = [
      "_class_name": "DiTPipeline", "scheduler": ["diffusers", "DDIMScheduler"],
      "transformer": ["diffusers", "Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"],
    ]
    if named {
      var names = JSONObject()
      for (i, name) in Self.names.enumerated() { names["\(i)"] = .string(name) }
      index["id2label"] = .object(names)
    }
    try folder.write("model_index.json", .object(index))
    try folder.write("scheduler/scheduler_config.json", TinyStableDiffusion.scheduler)
    try folder.write("transformer/config.json", network)
    try folder.write("vae/config.json", TinyStableDiffusion.autoencoder)
    if let configuration = try? DiTConfiguration(network) {
      try folder.save("transformer") { DiT(configuration, &$0) }
    }
    try folder.save("vae") {
      try AutoencoderKL(configuration: TinyStableDiffusion.autoencoder, &$0)
    }
    return folder
  }

  @Test("sizes and guidance come from the folder, names too where it has them")
  func defaults() throws {
    let generator = try folder().load()
    let factor = generator.layout.factor
    #expect(generator.defaults.height == 4 * factor && generator.layout.multiple == 2 * factor)
    #expect(generator.labels == Self.names && !generator.takesText)
    #expect(generator.defaults.guidance == ComponentChoice("cfg", options: ["scale": 4.0]))
    #expect(generator.defaults.examples.isEmpty)
    let unnamed = try folder(named: false).load()
    #expect(unnamed.labels == ["0", "1", "2", "3", "4", "5"])
    #expect(throws: PipelineError.self) {
      var request = GenerationRequest(labels: [0], steps: 1)
      request.width = 3 * factor
      _ = try generator.generateLatents(request)
    }
  }

  @Test("guided DDIM on the noise it predicts, the variance left out, like the formula by hand")
  func formula() throws {
    let folder = try folder()
    let generator = try folder.load()
    var initial = ParameterInitializer(seed: 0)
    let network = try DiT(DiTConfiguration(Self.network), &initial)
      .mappingParameters { path, tensor in folder.tensors["transformer/\(path)"] ?? tensor }
    let request = GenerationRequest(labels: [3], seed: 5, steps: 4)
    let found = try generator.generateLatents(request)

    var betas: [Double] = []
    let (low, high) = (0.00085.squareRoot(), 0.012.squareRoot())
    for i in 0..<1000 {
      let root = low + (high - low) * Double(i) / 999
      betas.append(root * root)
    }
    var cumulative: [Double] = []
    for beta in betas { cumulative.append((cumulative.last ?? 1) * (1 - beta)) }
    var x = try generator.prepare(request)[0].initial
    for step in 0..<4 {
      let t = (3 - step) * 250 + 1
      func predicted(_ label: Int32) -> Tensor {
        network(
          x, time: Tensor([Float(t)], shape: [1]),
          conditioning: Conditioning(label: Tensor([label], shape: [1])),
          context: EvaluationContext()
        ).sliced(0..<4, axis: -1)
      }
      let (asked, none) = (predicted(3), predicted(6))
      let noise = none + (asked - none) * 4
      let alpha = cumulative[t]
      let next = t - 250 >= 0 ? cumulative[t - 250] : cumulative[0]
      // The noise taken out at one level, and put back at the next.
      let (a, s) = (alpha.squareRoot(), (1 - alpha).squareRoot())
      let (b, r) = (next.squareRoot(), (1 - next).squareRoot())
      x = Tensor.linearCombination([(b / a, x), (r - b * s / a, noise)])
    }
    let last = try #require(try generator.plan(for: request).plan.levels.last)
    #expect(relativeRMSError(generator.sampler.publishedSample(found, at: last), x) < 1e-5)
  }

  @Test("classes by number, name, one of their names, or a part of them; several are told apart")
  func names() throws {
    let labels = LabelPrompts(labels: Self.names)
    func number(_ text: String) -> Int? { try? labels.number(of: text) }
    #expect(number("2") == 2 && number("tench, Tinca tinca") == 0 && number("White Shark") == 1)
    #expect(number("tiger") == 3 && number("galeocerdo") == 2)
    #expect(number("crane") == 4 && number("shark") == nil && number("6") == nil)
    func message(_ text: String) -> String {
      do { _ = try labels.number(of: text) } catch { return "\(error)" }
      return ""
    }
    #expect(message("shark").contains("(1)") && message("shark").contains("(2)"))
    let many = LabelPrompts(labels: (0..<1000).map { "thing \($0)" })
    do {
      _ = try many.number(of: "xyz")
      Issue.record("found")
    } catch { #expect("\(error)".count < 400 && "\(error)".contains("988 more")) }
  }

  @Test("settings that are not implemented are refused by name")
  func refused() throws {
    for (key, value) in [
      ("only_cross_attention", true), ("num_vector_embeds", 8), ("norm_elementwise_affine", true),
      ("out_channels", 6),
    ] as [(String, JSONValue)] {
      var network = Self.network.object ?? [:]
      network[key] = value
      let folder = try folder(.object(network))
      do {
        _ = try folder.load()
        Issue.record("\(key) was accepted")
      } catch { #expect("\(error)".contains(key)) }
    }
  }
}

/// A model folder of random weights, deleted with the value.
private final class Folder {
  let path: String
  private(set) var tensors: [String: Tensor] = [:]

  init() throws {
    path =
      FileManager.default.temporaryDirectory.appending(path: "ito-dit-\(UUID().uuidString)").path
    for part in ["scheduler", "transformer", "vae"] {
      try FileManager.default.createDirectory(
        atPath: "\(path)/\(part)", withIntermediateDirectories: true)
    }
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Here, so that the folder outlives the reading of it.
  func load() throws -> ImageGenerator { try ImageGenerator(path) }

  func write(_ name: String, _ json: JSONValue) throws {
    try AtomicFile.write(path + "/" + name, bytes: json.utf8(.pretty))
  }

  func save<M: Module>(_ part: String, _ make: (inout ParameterInitializer) throws -> M) throws {
    var initial = ParameterInitializer(seed: 1)
    var seed: UInt64 = 100
    let module = try make(&initial).mappingParameters { path, tensor in
      seed += 1
      let isScale = path.description.hasSuffix("weight") && tensor.shape.rank == 1
      let values = randomTensor(tensor.shape, seed: seed, scale: 0.15) + (isScale ? 1 : 0)
      tensors["\(part)/\(path)"] = values
      return values
    }
    try module.save(to: "\(path)/\(part)/diffusion_pytorch_model.safetensors")
  }
}
