/// The levels of an `AutoencoderKL`, as far as its names depend on them, and the names the original
/// repositories give its parts (`decoder.up.3.block.0.nin_shortcut`).
///
/// - Source: Rombach et al. 2022, `ldm/modules/diffusionmodules/model.py`; diffusers,
///   `single_file_utils.py` (`convert_ldm_vae_checkpoint`).
struct AutoencoderNames: Sendable {
  /// Residual blocks of each level of the encoder, finest first.
  var down: [Int]
  /// Those of the decoder, coarsest first.
  var up: [Int]

  init(original names: NameTree) {
    let levels = names.count("decoder.up")
    down = (0..<names.count("encoder.down")).map { names.count("encoder.down.\($0).block") }
    up = (0..<levels).map { names.count("decoder.up.\(levels - 1 - $0).block") }
  }

  init(published names: NameTree) {
    down = (0..<names.count("encoder.down_blocks")).map {
      names.count("encoder.down_blocks.\($0).resnets")
    }
    up = (0..<names.count("decoder.up_blocks")).map {
      names.count("decoder.up_blocks.\($0).resnets")
    }
  }

  /// Both names of every part.
  ///
  /// - Parameter isOld: attention has the names it had in folders of 2022.
  func pairs(isOld: Bool = false) -> NamePairs {
    var pairs = NamePairs()
    let attention = isOld ? Self.oldAttention : Self.attention
    for name in ["quant_conv", "post_quant_conv"] { pairs.add(name, name) }
    for side in ["encoder", "decoder"] {
      pairs.add(
        [("conv_in", "conv_in"), ("conv_out", "conv_out"), ("conv_norm_out", "norm_out")],
        below: side, side)
      for i in 0...1 {
        pairs.add(
          Self.residual, below: "\(side).mid_block.resnets.\(i)", "\(side).mid.block_\(i + 1)")
      }
      pairs.add(attention, below: "\(side).mid_block.attentions.0", "\(side).mid.attn_1")
    }
    for (level, count) in down.enumerated() {
      let (ours, theirs) = ("encoder.down_blocks.\(level)", "encoder.down.\(level)")
      for i in 0..<count {
        pairs.add(Self.residual, below: "\(ours).resnets.\(i)", "\(theirs).block.\(i)")
      }
      pairs.add("\(ours).downsamplers.0.conv", "\(theirs).downsample.conv")
    }
    for (level, count) in up.enumerated() {
      let (ours, theirs) = ("decoder.up_blocks.\(level)", "decoder.up.\(up.count - 1 - level)")
      for i in 0..<count {
        pairs.add(Self.residual, below: "\(ours).resnets.\(i)", "\(theirs).block.\(i)")
      }
      pairs.add("\(ours).upsamplers.0.conv", "\(theirs).upsample.conv")
    }
    return pairs
  }

  /// A residual block's parts.
  private static let residual = [
    ("norm1", "norm1"), ("conv1", "conv1"), ("norm2", "norm2"), ("conv2", "conv2"),
    ("conv_shortcut", "nin_shortcut"),
  ]

  /// Parts of the attention, whose matrices the original keeps as kernels of 1×1.
  private static let attention = [
    ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"),
  ]

  private static let oldAttention = [
    ("group_norm", "norm"), ("query", "q"), ("key", "k"), ("value", "v"), ("proj_attn", "proj_out"),
  ]

  /// Whether the original keeps the parameter of that published name as a kernel of 1×1.
  static func isKernel(_ name: String) -> Bool {
    name.contains(".attentions.") && name.hasSuffix(".weight") && !name.contains("group_norm")
  }
}
