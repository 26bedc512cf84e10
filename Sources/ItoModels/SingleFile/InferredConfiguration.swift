import ItoCheckpoints
import ItoComponents
import ItoTensors

/// Configurations of a model's parts from the shapes of their tensors, for files that have none.
///
/// What shapes do not tell is what every published model of the families has: groups of 32
/// channels, SiLU, heads of 64 channels (8 heads in Stable Diffusion 1).
enum InferredConfiguration {
  /// A `UNet2DConditionModel`.
  static func unet(_ source: any TensorSource) -> JSONObject {
    let names = NameTree(source.keys)
    let blocks = UNetNames(published: names)
    func width(_ key: String, _ axis: Int) -> Int? { source.shape(of: key).map { $0[axis] } }
    func kinds(_ levels: [UNetNames.Level], _ way: String) -> JSONValue {
      .array(
        levels.map {
          .string($0.attention.contains(true) ? "CrossAttn\(way)Block2D" : "\(way)Block2D")
        })
    }
    let widths = blocks.down.indices.compactMap {
      width("down_blocks.\($0).resnets.0.conv1.weight", 0)
    }
    let depths = blocks.down.indices.map { level in
      let isLast = level == blocks.down.count - 1
      let attention =
        blocks.down[level].attention.contains(true) ? "down_blocks.\(level)" : "mid_block"
      // Without attention the number goes unused, but the last one is the middle's too.
      return attention == "mid_block" && !isLast
        ? 1 : max(1, names.count("\(attention).attentions.0.transformer_blocks"))
    }
    let projection = source.keys.first { $0.hasSuffix("attentions.0.proj_in.weight") }
    let isLinear = projection.flatMap { source.shape(of: $0) }?.rank == 2
    var object: JSONObject = [
      "_class_name": "UNet2DConditionModel", "act_fn": "silu", "norm_num_groups": 32,
      "norm_eps": 1e-5, "center_input_sample": false, "flip_sin_to_cos": true, "freq_shift": 0,
      "downsample_padding": 1, "mid_block_scale_factor": 1,
      "in_channels": number(width("conv_in.weight", 1)),
      "out_channels": number(width("conv_out.weight", 0)),
      "block_out_channels": numbers(widths),
      "layers_per_block": number(blocks.down.first?.attention.count),
      "down_block_types": kinds(blocks.down, "Down"), "up_block_types": kinds(blocks.up, "Up"),
      "use_linear_projection": .bool(isLinear),
      "transformer_layers_per_block": Set(depths).count == 1 ? number(depths[0]) : numbers(depths),
      "attention_head_dim": isLinear ? numbers(widths.map { max(1, $0 / 64) }) : 8,
    ]
    let attended = source.keys.first { $0.hasSuffix("attn2.to_k.weight") }
    object["cross_attention_dim"] = attended.map { number(width($0, 1)) }
    object["sample_size"] = number(sampleSize(attended.flatMap { width($0, 1) }))
    if let added = width("add_embedding.linear_1.weight", 1) {
      object["addition_embed_type"] = "text_time"
      object["addition_time_embed_dim"] = 256
      object["projection_class_embeddings_input_dim"] = number(added)
    }
    object["time_cond_proj_dim"] = width("time_embedding.cond_proj.weight", 1).map { number($0) }
    return object
  }

  /// Latent pixels along a side, from the width of what the network attends to.
  private static func sampleSize(_ contextWidth: Int?) -> Int {
    switch contextWidth {
    case 1024: 96
    case 2048, 1280: 128
    default: 64
    }
  }

  /// An `AutoencoderKL`.
  static func autoencoder(_ source: any TensorSource, scale: Double, size: Int) -> JSONObject {
    let names = NameTree(source.keys)
    let levels = AutoencoderNames(published: names)
    let widths = levels.down.indices.compactMap {
      source.shape(of: "encoder.down_blocks.\($0).resnets.0.conv1.weight")?[0]
    }
    func kinds(_ count: Int, _ kind: String) -> JSONValue {
      .array([JSONValue](repeating: .string(kind), count: count))
    }
    return [
      "_class_name": "AutoencoderKL", "act_fn": "silu", "norm_num_groups": 32,
      "in_channels": number(source.shape(of: "encoder.conv_in.weight")?[1]),
      "out_channels": number(source.shape(of: "decoder.conv_out.weight")?[0]),
      "latent_channels": number(source.shape(of: "decoder.conv_in.weight")?[1]),
      "block_out_channels": numbers(widths), "layers_per_block": number(levels.down.first),
      "down_block_types": kinds(levels.down.count, "DownEncoderBlock2D"),
      "up_block_types": kinds(levels.up.count, "UpDecoderBlock2D"),
      "scaling_factor": .double(scale), "sample_size": number(size),
      "use_quant_conv": .bool(names.has("quant_conv")),
      "use_post_quant_conv": .bool(names.has("post_quant_conv")),
    ]
  }

  /// A `CLIPTextModel`, with its projection or without.
  static func text(
    _ source: any TensorSource, activation: String, isProjected: Bool
  ) -> JSONObject {
    let embedding = source.shape(of: "text_model.embeddings.token_embedding.weight")
    let positions = source.shape(of: "text_model.embeddings.position_embedding.weight")
    let inner = source.shape(of: "text_model.encoder.layers.0.mlp.fc1.weight")
    let width = embedding?[-1] ?? 0
    let projected = source.shape(of: "text_projection.weight")?[0]
    return [
      "architectures": [.string(isProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel")],
      "model_type": "clip_text_model", "hidden_act": .string(activation),
      "hidden_size": number(width), "intermediate_size": number(inner?[0]),
      "num_hidden_layers": number(NameTree(source.keys).count("text_model.encoder.layers")),
      "num_attention_heads": number(max(1, width / 64)),
      "max_position_embeddings": number(positions?[0]), "vocab_size": number(embedding?[0]),
      "projection_dim": number(projected ?? width), "layer_norm_eps": 1e-5, "bos_token_id": 0,
      "eos_token_id": 2, "pad_token_id": 1,
    ]
  }

  private static func number(_ value: Int?) -> JSONValue {
    value.map { .integer(Int64($0)) } ?? .null
  }
  private static func numbers(_ values: [Int]) -> JSONValue { .array(values.map { number($0) }) }
}
