import Foundation
import ItoComponents
import ItoModules
import ItoTensors
import Testing

@testable import ItoCheckpoints
@testable import ItoModels

@Suite("Models in one file")
struct SingleFileTests {
  private func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/single_file/\(name)").path
  }

  private func bytes(_ tensor: Tensor) -> [Float] { tensor.cast(to: .float32).scalars }

  @Test(
    "Every form gives each part the tensors of the published folder, bit for bit",
    arguments: [
      "sd1.safetensors", "sd1.ckpt", "sd1.gguf", "sd2.safetensors", "sd2.safetensors",
      "sdxl.safetensors",
    ])
  func parts(_ name: String) throws {
    let family = String(name.prefix { $0 != "." })
    let published = try SafeTensors(path: fixture("\(family).published.safetensors"))
    let file = try SingleFileCheckpoint(try Checkpoint.open(fixture(name)))
    #expect(file.family.name == family && file.missing.isEmpty)
    var found: Set<String> = []
    for (part, contents) in file.parts {
      for key in contents.source.keys {
        let full = "\(part).\(key)"
        guard published.keys.contains(full) else {
          Issue.record("\(full) is not in the folder")
          continue
        }
        found.insert(full)
        let (a, b) = (try contents.source.tensor(key), try published.tensor(full))
        #expect(a.shape == b.shape && contents.source.shape(of: key) == b.shape, "\(full)")
        #expect(bytes(a) == bytes(b), "\(full)")
      }
      #expect(contents.source.contents.count == contents.source.keys.count)
    }
    #expect(found == published.keys)
    #expect(
      file.ignored.allSatisfy {
        ["betas", "model_ema.decay"].contains($0) || $0.hasSuffix("position_ids")
      })
  }

  @Test("Families, variants and what the folder's index would say")
  func families() throws {
    func open(_ name: String) throws -> SingleFileCheckpoint {
      try SingleFileCheckpoint(try Checkpoint.open(fixture(name)))
    }
    let one = try open("sd1.safetensors")
    #expect(one.variant == nil && one.index["_class_name"] == "StableDiffusionPipeline")
    #expect(one.scheduler["prediction_type"] == "epsilon")
    let unet = try #require(one.parts["unet"]).configuration
    #expect(unet["block_out_channels"] == [4, 8] && unet["layers_per_block"] == 2)
    #expect(unet["down_block_types"] == ["CrossAttnDownBlock2D", "DownBlock2D"])
    #expect(unet["up_block_types"] == ["UpBlock2D", "CrossAttnUpBlock2D"])
    #expect(unet["cross_attention_dim"] == 8 && unet["use_linear_projection"] == false)
    #expect(unet["transformer_layers_per_block"] == 1 && unet["attention_head_dim"] == 8)
    let text = try #require(one.parts["text_encoder"]).configuration
    #expect(text["hidden_size"] == 8 && text["num_hidden_layers"] == 2 && text["vocab_size"] == 20)
    #expect(text["hidden_act"] == "quick_gelu" && text["max_position_embeddings"] == 7)
    let vae = try #require(one.parts["vae"]).configuration
    #expect(vae["block_out_channels"] == [4, 8] && vae["latent_channels"] == 4)

    let two = try open("sd2.safetensors")
    #expect(two.variant == "inpainting")
    #expect(two.index["_class_name"] == "StableDiffusionInpaintPipeline")
    #expect(two.parts["unet"]?.configuration["in_channels"] == 9)
    #expect(two.parts["unet"]?.configuration["use_linear_projection"] == true)

    let xl = try open("sdxl.safetensors")
    #expect(xl.index["text_encoder_2"] == ["transformers", "CLIPTextModelWithProjection"])
    let network = try #require(xl.parts["unet"]).configuration
    #expect(network["transformer_layers_per_block"] == [1, 2])
    #expect(network["addition_embed_type"] == "text_time")
    #expect(network["projection_class_embeddings_input_dim"] == 30)
    #expect(xl.parts["text_encoder_2"]?.configuration["projection_dim"] == 6)
    #expect(xl.parts["vae"]?.configuration["scaling_factor"] == 0.13025)
  }

  /// Tensors of these names and shapes.
  private func source(
    _ shapes: [String: Shape], metadata: [String: String] = [:]
  ) -> MemorySource {
    MemorySource(shapes.mapValues { Tensor(zeros: $0) }, metadata: metadata)
  }

  private func reason(_ shapes: [String: Shape]) -> String {
    do { _ = try SingleFileCheckpoint(source(shapes)) } catch { return error.description }
    return "accepted"
  }

  @Test("A network or an autoencoder alone, with its prefix or without")
  func alone() throws {
    for prefix in ["", "model.diffusion_model."] {
      for (width, family) in [(768, "sd1"), (1024, "sd2"), (2048, "sdxl"), (1280, "sdxl-refiner")] {
        let file = try SingleFileCheckpoint(
          source([
            "\(prefix)input_blocks.0.0.weight": [4, 4, 3, 3],
            "\(prefix)input_blocks.1.0.in_layers.0.weight": [4],
            "\(prefix)input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [4, width],
          ]))
        #expect(file.family.name == family && Set(file.parts.keys) == ["unet"])
      }
      let vae = prefix.isEmpty ? "" : "first_stage_model."
      let file = try SingleFileCheckpoint(
        source([
          "\(vae)decoder.up.0.block.0.conv1.weight": [4, 4, 3, 3],
          "\(vae)decoder.mid.attn_1.q.weight": [4, 4, 1, 1],
        ]))
      #expect(Set(file.parts.keys) == ["vae"])
      #expect(
        file.parts["vae"]?.source.shape(of: "decoder.mid_block.attentions.0.to_q.weight") == [4, 4])
    }
  }

  @Test("What training notes of itself counts")
  func markers() throws {
    let shapes: [String: Shape] = [
      "model.diffusion_model.input_blocks.0.0.weight": [4, 4, 3, 3],
      "cond_stage_model.model.ln_final.weight": [4],
    ]
    func scheduler(_ more: [String: Shape], _ metadata: [String: String] = [:]) throws -> JSONValue
    {
      try SingleFileCheckpoint(source(shapes.merging(more) { $1 }, metadata: metadata)).scheduler
    }
    #expect(try scheduler([:])["prediction_type"] == "v_prediction")
    #expect(try scheduler([:], ["global_step": "875000"])["prediction_type"] == "epsilon")
    #expect(
      try scheduler([:], ["modelspec.prediction_type": "epsilon"])["prediction_type"] == "epsilon")
    #expect(try scheduler(["v_pred": []])["prediction_type"] == "v_prediction")
    let zero = try scheduler(["ztsnr": []])
    #expect(zero["rescale_betas_zero_snr"] == true && zero["timestep_spacing"] == "trailing")
  }

  @Test("Files of other kinds are named, and tensors without a place too")
  func refused() {
    #expect(reason(["double_blocks.0.img_attn.qkv.weight": [1]]).contains("FLUX"))
    #expect(
      reason(["model.diffusion_model.joint_blocks.0.context_block.x": [1]]).contains(
        "Stable Diffusion 3"))
    #expect(reason(["down_blocks.0.resnets.0.conv1.weight": [1]]).contains("published folders"))
    #expect(reason(["a.b": [1]]).contains("no known family"))
    #expect(reason(["input_blocks.0.0.weight": [4, 4, 3, 3]]).contains("attends to nothing"))
    let text = reason([
      "model.diffusion_model.input_blocks.0.0.weight": [4, 4, 3, 3],
      "cond_stage_model.transformer.text_model.final_layer_norm.weight": [4],
      "model.diffusion_model.mystery.weight": [1],
    ])
    #expect(
      text.contains("1 tensors that have no place in one: model.diffusion_model.mystery.weight"))
  }
}

@Suite("Names of adapters")
struct AdapterNamesTests {
  @Test("Weights of a U-Net are found by published and by original names")
  func unet() throws {
    var initial = ParameterInitializer.placeholder
    let network = try BackboneFamily.make(
      [
        "_class_name": "UNet2DConditionModel", "in_channels": 4, "out_channels": 4,
        "block_out_channels": [4, 8], "layers_per_block": 2, "norm_num_groups": 2,
        "cross_attention_dim": 8, "attention_head_dim": 2,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
      ], &initial)
    let names = AdapterNames(denoiser: network)
    let attention = "attentions.0.transformer_blocks.0.attn1.to_q"
    for (name, path) in [
      ("down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", "down_blocks.0.\(attention)"),
      ("input_blocks_1_1_transformer_blocks_0_attn1_to_q", "down_blocks.0.\(attention)"),
      ("output_blocks_3_1_transformer_blocks_0_attn1_to_q", "up_blocks.1.\(attention)"),
      ("middle_block_2_out_layers_3", "mid_block.resnets.1.conv2"),
      ("input_blocks_3_0_op", "down_blocks.0.downsamplers.0.conv"),
      ("time_embed_0", "time_embedding.linear_1"), ("out_2", "conv_out"),
    ] {
      #expect(names.path(of: name)?.description == path, "\(name)")
    }
    #expect(names.path(of: "input_blocks_9_0_op") == nil)
  }
}
