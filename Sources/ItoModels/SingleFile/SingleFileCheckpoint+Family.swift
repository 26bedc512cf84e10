import ItoCheckpoints
import ItoTensors

extension SingleFileCheckpoint {
  /// Names that tell other architectures, which are not loaded from single files.
  private static let others: [(mark: String, title: String)] = [
    ("double_blocks.0.img_attn", "FLUX or a relative of it"),
    ("joint_blocks.0.context_block", "Stable Diffusion 3"),
    ("transformer_blocks.0.attn.add_q_proj", "a transformer with two streams"),
    ("blocks.0.cross_attn.norm_k", "Wan"), ("patchify_proj", "LTX-Video"),
    ("cap_embedder", "Lumina or Z-Image"), ("control_model", "a ControlNet"),
    ("input_hint_block", "a ControlNet"), ("lora_unet", "a LoRA, which is an addition to a model"),
    ("body.0.in_conv", "a T2I-Adapter"), ("image_proj", "an IP-Adapter"),
    ("down_blocks.0.resnets", "a network in the naming of published folders"),
    ("encoder.down_blocks", "an autoencoder in the naming of published folders"),
    ("text_model.encoder.layers", "a text encoder in the naming of published folders"),
    ("token_embd", "a language model"),
  ]

  /// The family of a file with these names, and prefixes of its parts that are not the usual ones.
  static func family(
    _ names: NameTree, _ source: any TensorSource
  ) throws(CheckpointError) -> (SingleFileFamily, prefixes: [String: String]) {
    if let whole = SingleFileFamily.builtin.first(where: { $0.recognises(names) }) {
      return (whole, [:])
    }
    for prefix in ["model.diffusion_model.", ""] where names.has("\(prefix)input_blocks.0.0") {
      // A network alone: what it attends to tells the family.
      let key = source.keys.first { $0.hasPrefix(prefix) && $0.hasSuffix("attn2.to_k.weight") }
      let width = key.flatMap { source.shape(of: $0) }?[-1]
      guard let family = SingleFileFamily.builtin.first(where: { $0.contextWidth == width }) else {
        throw .unsupported(
          file: source.origin,
          reason: "it is a U-Net in the original naming, but of no known family: it attends to "
            + "\(width.map { "features of width \($0)" } ?? "nothing")")
      }
      return (family, ["unet": prefix])
    }
    for prefix in ["first_stage_model.", ""] where names.has("\(prefix)decoder.up.0.block") {
      return (.stableDiffusion1, ["vae": prefix])
    }
    for (mark, title) in others {
      for prefix in ["", "model.diffusion_model.", "model."] where names.has(prefix + mark) {
        throw .unsupported(
          file: source.origin,
          reason: "it is \(title), not a model of a known family in one file")
      }
    }
    throw .unsupported(
      file: source.origin,
      reason: "its tensors' names are those of no known family (it has "
        + "\(source.keys.sorted().prefix(3).joined(separator: ", "))…)")
  }
}
