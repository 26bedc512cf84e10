import ItoTensors

/// A file with an adapter: small changes to the weights of a model, in any of the spellings in use.
///
/// PEFT and diffusers (`unet.….lora_A.weight`, `….lora.down.weight`, `….processor.to_q_lora.…`),
/// kohya (`lora_unet_…​.lora_down.weight`, `lora_te_…`, `lora_te1_…`, `lora_te2_…`) and native trainers
/// (`diffusion_model.…`); the methods are those of `AdapterMethod.builtin`.
///
/// - Source: the conventions of peft, diffusers (`loaders/lora_conversion_utils.py`), kohya-ss
///   sd-scripts and LyCORIS.
public struct AdapterFile: Sendable {
  /// All tensors that belong to one module of the model.
  struct Entry: Sendable {
    /// The module's name in the file's spelling, without the part's prefix, dots as underscores.
    var module: String
    /// Keys by role.
    var keys: [AdapterRole: String]
  }

  /// Where the adapter comes from: a path.
  public var origin: String { source.origin }
  let source: any TensorSource
  /// Entries by the part of the model they are for: `unet`, `text_encoder`, `text_encoder_2`.
  let entries: [String: [Entry]]
  /// Keys that are no part of an adapter.
  public let foreign: [String]

  /// Opens the file at `path`.
  public init(path: String) throws(CheckpointError) { try self.init(try Checkpoint.open(path)) }

  /// Reads the names in `source`.
  ///
  /// - Throws: `unsupported` when it has no adapter's tensors at all.
  public init(_ source: any TensorSource) throws(CheckpointError) {
    var found: [String: [String: [AdapterRole: String]]] = [:]
    var foreign: [String] = []
    for key in source.keys {
      guard let (name, role) = AdapterRole.split(key) else {
        foreign.append(key)
        continue
      }
      let (part, module) = Self.part(of: name)
      found[part, default: [:]][module, default: [:]][role] = key
    }
    guard !found.isEmpty else {
      throw .unsupported(
        file: source.origin,
        reason:
          "it is no adapter (LoRA, LoCon, LoHa, LoKr, DoRA): none of its tensors is named like "
          + "one of theirs")
    }
    self.source = source
    self.foreign = foreign.sorted()
    entries = found.mapValues { modules in
      modules.sorted { $0.key < $1.key }.map { Entry(module: $0.key, keys: $0.value) }
    }
  }

  /// The parts of a model the adapter has changes for: `unet`, `text_encoder`, `text_encoder_2`.
  public var parts: Set<String> { Set(entries.keys) }

  /// Number of modules it has changes for.
  public var count: Int { entries.values.reduce(0) { $0 + $1.count } }

  /// Prefixes and the parts they stand for; longer ones first where one begins another.
  private static let prefixes: [(String, String)] = [
    ("lora_unet_", "unet"), ("lora_te1_", "text_encoder"), ("lora_te2_", "text_encoder_2"),
    ("lora_te3_", "text_encoder_3"), ("lora_te_", "text_encoder"),
    ("lora_transformer_", "unet"), ("lycoris_", "unet"), ("unet.", "unet"),
    ("transformer.", "unet"), ("diffusion_model.", "unet"), ("model.diffusion_model.", "unet"),
    ("base_model.model.", "unet"), ("text_encoder_2.", "text_encoder_2"),
    ("text_encoder_3.", "text_encoder_3"), ("text_encoder.", "text_encoder"),
  ]

  /// The part of the model a module belongs to, and its name there. The denoiser is called `unet`
  /// whatever it is.
  private static func part(of name: String) -> (part: String, module: String) {
    for (prefix, part) in prefixes where name.hasPrefix(prefix) {
      return (part, AdapterNames.flattened(String(name.dropFirst(prefix.count))))
    }
    return ("unet", AdapterNames.flattened(name))
  }
}
