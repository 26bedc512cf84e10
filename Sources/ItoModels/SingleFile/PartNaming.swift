import ItoCheckpoints
import ItoTensors

/// How the parameters of one kind of part are called, and laid out, in the original repositories, as
/// against the published folders.
struct PartNaming: Sendable {
  /// Recipes for the tensors of one naming, by name, from those of the other.
  typealias Recipes = [String: RenamedSource.Recipe]

  /// From tensors in the original naming to the published one. Names that have no counterpart get no
  /// recipe.
  var published: @Sendable (_ names: [String], _ source: any TensorSource) -> Recipes
  /// From tensors in the published naming to the original one.
  var original: @Sendable (_ names: [String], _ source: any TensorSource) -> Recipes

  /// `UNet2DConditionModel`.
  static let unet = PartNaming(
    published: { names, _ in
      let pairs = UNetNames(original: NameTree(names)).pairs
      return recipes(names) { name in pairs.ours(for: name).map { ($0, .init(.whole(name))) } }
    },
    original: { names, _ in
      let pairs = UNetNames(published: NameTree(names)).pairs
      return recipes(names) { name in pairs.theirs(for: name).map { ($0, .init(.whole(name))) } }
    })

  /// `AutoencoderKL`.
  static let autoencoder = PartNaming(
    published: { names, _ in
      let pairs = AutoencoderNames(original: NameTree(names)).pairs()
      return recipes(names) { name in
        guard let ours = pairs.ours(for: name) else { return nil }
        return (ours, .init(.whole(name), rank: AutoencoderNames.isKernel(ours) ? 2 : nil))
      }
    },
    original: { names, _ in
      let isOld = names.contains { $0.contains(".attentions.0.proj_attn.") }
      let pairs = AutoencoderNames(published: NameTree(names)).pairs(isOld: isOld)
      return recipes(names) { name in
        guard let theirs = pairs.theirs(for: name) else { return nil }
        return (theirs, .init(.whole(name), rank: AutoencoderNames.isKernel(name) ? 4 : nil))
      }
    })

  /// `CLIPTextModel`.
  static let clipText = PartNaming(
    published: { names, _ in
      recipes(names) { name in
        if name.hasSuffix("position_ids") { return nil }
        return (withTextModel(name), .init(.whole(name)))
      }
    },
    original: { names, _ in recipes(names) { (withTextModel($0), .init(.whole($0))) } })

  /// OpenCLIP's text encoder.
  ///
  /// - Parameter usesPenultimate: the last layer of a deeper one than 23 is left out, as Stable
  ///   Diffusion 2 takes its features from the layer before, and the projection with it.
  static func openCLIPText(usesPenultimate: Bool) -> PartNaming {
    PartNaming(
      published: { names, source in
        OpenCLIPNames.published(names, usesPenultimate: usesPenultimate)
      },
      original: { names, _ in
        let full = Dictionary(names.map { (withTextModel($0), $0) }) { first, _ in first }
        return OpenCLIPNames.original(Array(full.keys)).mapValues { $0.renaming { full[$0] ?? $0 } }
      })
  }

  /// The name of a parameter of CLIP's text encoder as published folders have it; old single files
  /// and new versions of transformers leave out the beginning.
  private static func withTextModel(_ name: String) -> String {
    let inner = ["embeddings.", "encoder.", "final_layer_norm."]
    return inner.contains(where: name.hasPrefix) ? "text_model." + name : name
  }

  private static func recipes(
    _ names: [String], _ recipe: (String) -> (String, RenamedSource.Recipe)?
  ) -> Recipes {
    Dictionary(names.compactMap(recipe)) { first, _ in first }
  }
}
