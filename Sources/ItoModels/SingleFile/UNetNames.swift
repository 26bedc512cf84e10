/// The blocks of a `UNet2DConditionModel`, as far as its names depend on them, and the names the
/// original repositories give them (`input_blocks.4.1.transformer_blocks…`).
///
/// - Source: Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*,
///   `ldm/modules/diffusionmodules/openaimodel.py`; diffusers, `single_file_utils.py`
///   (`convert_ldm_unet_checkpoint`), whose result this gives.
struct UNetNames: Sendable {
  /// One level of the network.
  struct Level: Sendable, Hashable {
    /// For each residual block, whether attention follows it.
    var attention: [Bool] = []
    /// Whether a resampler ends the level.
    var isResampled = false
  }

  var down: [Level] = []
  var up: [Level] = []
  var middleHasAttention = false

  /// The blocks of a network with names of the original repositories.
  init(original names: NameTree) {
    var level = Level()
    for i in 1..<max(1, names.count("input_blocks")) {
      if names.has("input_blocks.\(i).0.op") {
        level.isResampled = true
        down.append(level)
        level = Level()
      } else {
        level.attention.append(names.has("input_blocks.\(i).1"))
      }
    }
    if !level.attention.isEmpty { down.append(level) }
    middleHasAttention = names.has("middle_block.2")
    level = Level()
    for i in 0..<names.count("output_blocks") {
      let place = "output_blocks.\(i)"
      level.attention.append(names.has("\(place).1.norm"))
      if names.has("\(place).1.conv") || names.has("\(place).2.conv") {
        level.isResampled = true
        up.append(level)
        level = Level()
      }
    }
    if !level.attention.isEmpty { up.append(level) }
  }

  /// The blocks of a network with names of the published folders.
  init(published names: NameTree) {
    func level(_ place: String, _ resampler: String) -> Level {
      Level(
        attention: (0..<names.count("\(place).resnets")).map {
          names.has("\(place).attentions.\($0)")
        }, isResampled: names.has("\(place).\(resampler)"))
    }
    down = (0..<names.count("down_blocks")).map { level("down_blocks.\($0)", "downsamplers") }
    up = (0..<names.count("up_blocks")).map { level("up_blocks.\($0)", "upsamplers") }
    middleHasAttention = names.has("mid_block.attentions")
  }

  /// Both names of every part.
  var pairs: NamePairs {
    var pairs = NamePairs()
    for (ours, theirs) in Self.outside { pairs.add(ours, theirs) }
    addDown(to: &pairs)
    pairs.add(Self.residual, below: "mid_block.resnets.0", "middle_block.0")
    if middleHasAttention { pairs.add("mid_block.attentions.0", "middle_block.1") }
    pairs.add(
      Self.residual, below: "mid_block.resnets.1", "middle_block.\(middleHasAttention ? 2 : 1)")
    addUp(to: &pairs)
    return pairs
  }

  private func addDown(to pairs: inout NamePairs) {
    var i = 1
    for (number, level) in down.enumerated() {
      let block = "down_blocks.\(number)"
      for (layer, hasAttention) in level.attention.enumerated() {
        pairs.add(Self.residual, below: "\(block).resnets.\(layer)", "input_blocks.\(i).0")
        if hasAttention { pairs.add("\(block).attentions.\(layer)", "input_blocks.\(i).1") }
        i += 1
      }
      if level.isResampled {
        pairs.add("\(block).downsamplers.0.conv", "input_blocks.\(i).0.op")
        i += 1
      }
    }
  }

  private func addUp(to pairs: inout NamePairs) {
    var i = 0
    for (number, level) in up.enumerated() {
      let block = "up_blocks.\(number)"
      for (layer, hasAttention) in level.attention.enumerated() {
        pairs.add(Self.residual, below: "\(block).resnets.\(layer)", "output_blocks.\(i).0")
        if hasAttention { pairs.add("\(block).attentions.\(layer)", "output_blocks.\(i).1") }
        if level.isResampled && layer == level.attention.count - 1 {
          pairs.add("\(block).upsamplers.0.conv", "output_blocks.\(i).\(hasAttention ? 2 : 1).conv")
        }
        i += 1
      }
    }
  }

  /// A residual block's parts.
  private static let residual = [
    ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
  ]

  /// What lies outside the blocks.
  private static let outside = [
    ("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
    ("time_embedding.cond_proj", "time_embed.cond_proj"),
    ("add_embedding.linear_1", "label_emb.0.0"), ("add_embedding.linear_2", "label_emb.0.2"),
    ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2"),
  ]
}
