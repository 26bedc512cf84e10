public import ItoCheckpoints
public import ItoComponents
import ItoTensors

/// A model whose parts lie together in one file, seen as the folder it would be published as.
///
/// The family is known from the names of the tensors; each part's tensors appear under the names of
/// the published folders, so that it loads like a part of one. Nothing is read but names and
/// shapes.
public struct SingleFileCheckpoint: Sendable {
  /// What a part is and where its tensors are.
  public struct Part: Sendable {
    /// Its class: `UNet2DConditionModel`.
    public let className: String
    /// Its configuration: `config.json`.
    public let configuration: JSONValue
    /// Its tensors, by their published names.
    public let source: RenamedSource
  }

  /// The family.
  public let family: SingleFileFamily
  /// The parts the file has, by the names of their folders: `unet`, `vae`, `text_encoder`.
  public let parts: [String: Part]
  /// Parts of the family that the file lacks.
  public let missing: [String]
  /// Tensors that no part uses, though they have a place in such files: schedules, averages,
  /// training state.
  public let ignored: [String]
  /// What the network does beside drawing from text: `inpainting`, `instruct-pix2pix`, `depth`.
  public let variant: String?
  /// The schedule it was trained with: `scheduler_config.json`.
  public let scheduler: JSONValue

  /// The parts of the model in `source`.
  ///
  /// - Parameter configurations: a folder with configurations of the parts (`unet/config.json`, …,
  ///   `scheduler/scheduler_config.json`) that count instead of those the
  ///     file keeps, or those inferred from shapes.
  /// - Throws: `unsupported` when it is of no known family, with what it was taken for; `corrupt`
  ///   when it has tensors that have no place in such a model, naming them.
  public init(
    _ source: any TensorSource, configurations: String? = nil
  ) throws(CheckpointError) {
    let names = NameTree(source.keys)
    let (family, prefixes) = try Self.family(names, source)
    var parts: [String: Part] = [:]
    var missing: [String] = []
    var rest = source.keys
    for part in family.parts {
      let prefix = prefixes[part.name] ?? part.prefix
      let inner = source.keys.filter { $0.hasPrefix(prefix) }.map {
        String($0.dropFirst(prefix.count))
      }
      let recipes = part.naming.published(inner, source).mapValues { $0.below(prefix) }
      guard !recipes.isEmpty else {
        missing.append(part.name)
        continue
      }
      for recipe in recipes.values { rest.subtract(recipe.places.map(\.key)) }
      let renamed = RenamedSource(source, recipes)
      let found = try Self.configuration(part.name, "config.json", configurations, source)
      parts[part.name] = Part(
        className: part.className, configuration: found ?? .object(part.configuration(renamed)),
        source: renamed)
    }
    let unknown = rest.filter { !Self.isIgnorable($0) }
    guard unknown.isEmpty else {
      let shown = unknown.sorted().prefix(8).joined(separator: ", ")
      throw .unsupported(
        file: source.origin,
        reason:
          "it looks like \(family.title), but has \(unknown.count) tensors that have no place in "
          + "one: \(shown)")
    }
    self.family = family
    self.parts = parts
    self.missing = missing
    ignored = rest.sorted()
    let channels = parts["unet"]?.source.shape(of: "conv_in.weight")?[1]
    variant = [9: "inpainting", 8: "instruct-pix2pix", 5: "depth"][channels ?? 4]
    let usual = family.name == "sd2" && variant == nil ? "v_prediction" : "epsilon"
    let facts = SingleFileFacts(source, usual: usual)
    let found = try Self.configuration(
      "scheduler", "scheduler_config.json", configurations, source)
    scheduler = found ?? .object(family.scheduler(facts))
  }

  /// What `model_index.json` of the published folder would say.
  public var index: JSONValue {
    let classes = [
      "inpainting": "Inpaint", "instruct-pix2pix": "InstructPix2Pix", "depth": "Depth2Img",
    ]
    var name = family.pipeline
    if let kind = variant.flatMap({ classes[$0] }) {
      name = name.dropLast("Pipeline".count) + "\(kind)Pipeline"
    }
    var object: JSONObject = [
      "_class_name": .string(name),
      "scheduler": ["diffusers", scheduler["_class_name"] ?? .null],
    ]
    for part in family.parts where parts[part.name] != nil {
      object[part.name] = [
        .string(part.name.hasPrefix("text") ? "transformers" : "diffusers"),
        .string(part.className),
      ]
    }
    for tokenizer in family.tokenizers { object[tokenizer] = ["transformers", "CLIPTokenizer"] }
    return .object(object)
  }

  /// A part's configuration from a folder of them, else from the file; nil when neither has it.
  private static func configuration(
    _ part: String, _ name: String, _ folder: String?, _ source: any TensorSource
  ) throws(CheckpointError) -> JSONValue? {
    guard let folder else { return try stored(part, in: source) }
    let path = "\(folder)/\(part)/\(name)"
    let bytes: [UInt8]
    do {
      bytes = try readFile(path, limit: 1 << 24)
    } catch {
      // A folder may hold the configurations of some parts only.
      return try stored(part, in: source)
    }
    do {
      return try JSONValue.parse(bytes, options: .python)
    } catch {
      throw .corrupt(file: path, reason: "it is not valid JSON: \(error)")
    }
  }

  /// Whether a tensor has a place in such files beside the parts.
  private static func isIgnorable(_ key: String) -> Bool {
    let beginnings = [
      "model_ema.", "first_stage_model.loss.", "denoiser.", "embedding_manager.",
      "cond_stage_model.model.transformer.resblocks.23.", "cond_stage_model.model.text_projection",
      "cond_stage_model.model.logit_scale", "cond_stage_model.logit_scale",
      "cond_stage_model.text_projection", "cond_stage_model.transformer.vision_model",
      "conditioner.embedders.0.model.logit_scale", "conditioner.embedders.1.model.logit_scale",
      "alphas_cumprod", "sqrt_", "posterior_", "log_one_minus", "lvlb_weights",
    ]
    let names: Set = [
      "betas", "logvar", "scale_factor", "v_pred", "ztsnr", "edm_vpred.sigma_max",
      "edm_vpred.sigma_min", "model.diffusion_model.time_embed.sigmas",
    ]
    return names.contains(key) || key.hasSuffix("position_ids")
      || beginnings.contains(where: key.hasPrefix)
  }
}

extension RenamedSource.Recipe {
  /// The same of tensors whose names begin with `prefix`.
  func below(_ prefix: String) -> RenamedSource.Recipe { renaming { prefix + $0 } }

  /// The same of tensors that are called otherwise.
  func renaming(_ name: (String) -> String) -> RenamedSource.Recipe {
    var copy = self
    copy.places = places.map { place in
      switch place {
      case .whole(let key): .whole(name(key))
      case .part(let key, let axis, let index, let count):
        .part(of: name(key), axis: axis, index: index, count: count)
      }
    }
    return copy
  }
}
