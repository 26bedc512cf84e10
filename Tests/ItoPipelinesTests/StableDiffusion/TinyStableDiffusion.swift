import ItoCheckpoints
import ItoComponents
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

/// A Stable Diffusion of a few thousand random weights as a folder of a model hub, deleted with the
/// value.
final class TinyStableDiffusion {
  let folder: String
  private let isXL: Bool

  init(isXL: Bool = false, inputChannels: Int = 4, guidanceFeatures: Int? = nil) throws {
    self.isXL = isXL
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array((base + "/ito-sd-XXXXXX").utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
    try write("model_index.json", index)
    try write("scheduler/scheduler_config.json", Self.scheduler)
    for suffix in isXL ? ["", "_2"] : [""] {
      try writeTokenizer("tokenizer" + suffix)
      let json = textEncoder(isProjected: suffix == "_2")
      try write("text_encoder\(suffix)/config.json", json)
      try save("text_encoder\(suffix)/model.safetensors") { initial in
        try CLIPTextEncoder(configuration: json, &initial)
      }
    }
    var unet = unet
    unet["in_channels"] = .integer(Int64(inputChannels))
    if let guidanceFeatures { unet["time_cond_proj_dim"] = .integer(Int64(guidanceFeatures)) }
    try write("unet/config.json", .object(unet))
    try save("unet/diffusion_pytorch_model.safetensors") { initial in
      try UNet2DCondition(configuration: .object(unet), &initial)
    }
    try write("vae/config.json", Self.autoencoder)
    try save("vae/diffusion_pytorch_model.safetensors") { initial in
      try AutoencoderKL(configuration: Self.autoencoder, &initial)
    }
  }

  deinit {
    for name in ["unet", "vae", "text_encoder", "text_encoder_2", "scheduler"] {
      for file in [
        "config.json", "scheduler_config.json", "model.safetensors",
        "diffusion_pytorch_model.safetensors",
      ] { unlink("\(folder)/\(name)/\(file)") }
      rmdir("\(folder)/\(name)")
    }
    for name in ["tokenizer", "tokenizer_2"] {
      for file in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
        unlink("\(folder)/\(name)/\(file)")
      }
      rmdir("\(folder)/\(name)")
    }
    unlink(folder + "/model_index.json")
    rmdir(folder)
  }

  func write(_ name: String, _ json: JSONValue) throws {
    if let slash = name.lastIndex(of: "/") { mkdir(folder + "/" + name[..<slash], 0o755) }
    try AtomicFile.write(folder + "/" + name, bytes: json.utf8(.pretty))
  }

  private func save<M: Module>(
    _ name: String, _ make: (inout ParameterInitializer) throws -> M
  ) throws {
    var initial = ParameterInitializer(seed: 1)
    var seed: UInt64 = 100
    let module = try make(&initial).mappingParameters { path, tensor in
      seed += 1
      // Norms near 1, everything else small: numbers stay where they are.
      let isScale = path.description.hasSuffix("weight") && tensor.shape.rank == 1
      return randomTensor(tensor.shape, seed: seed, scale: 0.15) + (isScale ? 1 : 0)
    }
    try module.save(to: folder + "/" + name)
  }

  /// A vocabulary of the bytes, no merges.
  private func writeTokenizer(_ name: String) throws {
    var vocabulary = JSONObject()
    var letters = Array(33...126) + Array(161...172) + Array(174...255)
    letters += (0..<256).filter { !letters.contains($0) }.indices.map { 256 + $0 }
    for suffix in ["", "</w>"] {
      for letter in letters {
        guard let scalar = Unicode.Scalar(UInt32(letter)) else { continue }
        vocabulary["\(Character(scalar))\(suffix)"] = .integer(Int64(vocabulary.count))
      }
    }
    vocabulary["<|startoftext|>"] = .integer(512)
    vocabulary["<|endoftext|>"] = .integer(513)
    try write(name + "/vocab.json", .object(vocabulary))
    try AtomicFile.write(folder + "/\(name)/merges.txt", bytes: Array("#version: 0.2\n".utf8))
    try write(
      name + "/tokenizer_config.json",
      [
        "model_max_length": 77, "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
      ])
  }

  private var index: JSONValue {
    var object: JSONObject = [
      "_class_name": .string(isXL ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline"),
      "scheduler": ["diffusers", "DDIMScheduler"], "unet": ["diffusers", "UNet2DConditionModel"],
      "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
      "tokenizer": ["transformers", "CLIPTokenizer"], "safety_checker": [nil, nil],
    ]
    if isXL {
      object["text_encoder_2"] = ["transformers", "CLIPTextModelWithProjection"]
      object["tokenizer_2"] = ["transformers", "CLIPTokenizer"]
    }
    return .object(object)
  }

  static let scheduler: JSONValue = [
    "_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "clip_sample": false, "set_alpha_to_one": false,
    "steps_offset": 1,
  ]

  private func textEncoder(isProjected: Bool) -> JSONValue {
    [
      "architectures": [.string(isProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel")],
      "vocab_size": 514, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
      "num_attention_heads": 2, "max_position_embeddings": 77, "hidden_act": "quick_gelu",
      "projection_dim": 8, "eos_token_id": 513,
    ]
  }

  private var unet: JSONObject {
    var object: JSONObject = [
      "_class_name": "UNet2DConditionModel", "sample_size": 8, "in_channels": 4, "out_channels": 4,
      "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
      "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
      "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "cross_attention_dim": 8,
      "attention_head_dim": 2,
    ]
    if isXL {
      object["cross_attention_dim"] = 16
      object["addition_embed_type"] = "text_time"
      object["addition_time_embed_dim"] = 4
      object["projection_class_embeddings_input_dim"] = 32
    }
    return object
  }

  static let autoencoder: JSONValue = [
    "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 4,
    "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 2,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"], "scaling_factor": 0.5,
  ]
}
