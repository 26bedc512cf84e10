import ItoCheckpoints

/// Names of OpenCLIP's text encoder, which keeps query, key and value in one matrix and its
/// projection transposed.
///
/// - Source: Ilharco et al. 2021, *OpenCLIP*, `src/open_clip/transformer.py`; diffusers,
///   `single_file_utils.py` (`convert_open_clip_checkpoint`).
enum OpenCLIPNames {
  /// Published names for `names` of OpenCLIP.
  static func published(_ names: [String], usesPenultimate: Bool) -> PartNaming.Recipes {
    let layers = NameTree(names).count("transformer.resblocks")
    // Stable Diffusion 2 was trained on the features of layer 23 of 24.
    let used = usesPenultimate && layers == 24 ? 23 : layers
    var result: PartNaming.Recipes = [:]
    for name in names {
      if let ours = outside.first(where: { $0.theirs == name })?.ours {
        result[ours] = .init(.whole(name))
      } else if name == "text_projection" {
        if !usesPenultimate {
          result["text_projection.weight"] = .init(.whole(name), isTransposed: true)
        }
      } else if let (layer, rest) = split(name), layer < used {
        let place = "text_model.encoder.layers.\(layer)."
        if let end = fused(rest) {
          for (i, part) in parts.enumerated() {
            result["\(place)self_attn.\(part)_proj.\(end)"] = .init(
              .part(of: name, axis: 0, index: i, count: 3))
          }
        } else if let pair = inside.first(where: { rest.hasPrefix($0.theirs + ".") }) {
          result[place + pair.ours + rest.dropFirst(pair.theirs.count)] = .init(.whole(name))
        }
      }
    }
    return result
  }

  /// OpenCLIP's names for published `names`.
  static func original(_ names: [String]) -> PartNaming.Recipes {
    var result: PartNaming.Recipes = [:]
    let prefix = "text_model.encoder.layers."
    for name in names {
      if let theirs = outside.first(where: { $0.ours == name })?.theirs {
        result[theirs] = .init(.whole(name))
      } else if name == "text_projection.weight" {
        result["text_projection"] = .init(.whole(name), isTransposed: true)
      } else if name.hasPrefix(prefix) {
        let inner = name.dropFirst(prefix.count)
        guard let dot = inner.firstIndex(of: ".") else { continue }
        let place = "transformer.resblocks.\(inner[..<dot])."
        let rest = String(inner[inner.index(after: dot)...])
        if let pair = inside.first(where: { rest.hasPrefix($0.ours + ".") }) {
          result[place + pair.theirs + rest.dropFirst(pair.ours.count)] = .init(.whole(name))
        } else if rest.hasPrefix("self_attn.q_proj.") {
          let end = rest.dropFirst("self_attn.q_proj.".count)
          let stem = name.dropLast("q_proj.\(end)".count)
          result["\(place)attn.in_proj_\(end)"] = .init(
            .whole("\(stem)q_proj.\(end)"), .whole("\(stem)k_proj.\(end)"),
            .whole("\(stem)v_proj.\(end)"))
        }
      }
    }
    return result
  }

  /// The layer's number and the rest of a name.
  private static func split(_ name: String) -> (Int, String)? {
    let prefix = "transformer.resblocks."
    guard name.hasPrefix(prefix) else { return nil }
    let parts = name.dropFirst(prefix.count).split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let layer = Int(parts[0]) else { return nil }
    return (layer, String(parts[1]))
  }

  /// `weight` or `bias` of a fused matrix.
  private static func fused(_ rest: String) -> String? {
    let prefix = "attn.in_proj_"
    return rest.hasPrefix(prefix) ? String(rest.dropFirst(prefix.count)) : nil
  }

  private static let parts = ["q", "k", "v"]
  private static let outside = [
    (ours: "text_model.embeddings.token_embedding.weight", theirs: "token_embedding.weight"),
    (ours: "text_model.embeddings.position_embedding.weight", theirs: "positional_embedding"),
    (ours: "text_model.final_layer_norm.weight", theirs: "ln_final.weight"),
    (ours: "text_model.final_layer_norm.bias", theirs: "ln_final.bias"),
  ]
  private static let inside = [
    (ours: "layer_norm1", theirs: "ln_1"), (ours: "layer_norm2", theirs: "ln_2"),
    (ours: "mlp.fc1", theirs: "mlp.c_fc"), (ours: "mlp.fc2", theirs: "mlp.c_proj"),
    (ours: "self_attn.out_proj", theirs: "attn.out_proj"),
  ]
}
