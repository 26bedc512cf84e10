public import ItoCheckpoints
public import ItoComponents
import ItoTensors

extension SingleFileFamily {
  /// The family of a published pipeline; nil when none is read from single files.
  ///
  /// - Parameters:
  ///   - index: its `model_index.json`.
  ///   - textWidth: `hidden_size` of its (first) text encoder.
  public static func published(index: JSONValue, textWidth: Int?) -> SingleFileFamily? {
    let name = index["_class_name"]?.string ?? ""
    if name.hasPrefix("StableDiffusionXL") {
      let hasFirst = index["text_encoder"]?[1]?.string != nil
      return hasFirst ? .stableDiffusionXL : .stableDiffusionXLRefiner
    }
    guard name.hasPrefix("StableDiffusion"), !name.hasPrefix("StableDiffusion3") else { return nil }
    return textWidth == stableDiffusion2.contextWidth ? .stableDiffusion2 : .stableDiffusion1
  }

  /// The family of that short name.
  public static func named(_ name: String) -> SingleFileFamily? {
    builtin.first { $0.name == name }
  }
}

extension SingleFileCheckpoint {
  /// Under this key and a part's name, a file written here keeps the part's configuration.
  static let configurationKey = "ito.configuration."

  /// The tensors of a published pipeline in the naming of the original repository, and its parts'
  /// configurations as metadata, so that the file is complete in itself.
  ///
  /// - Parameters:
  ///   - parts: configurations and tensors of its parts by name (`unet`, `vae`, …).
  ///   - scheduler: its `scheduler_config.json`.
  /// - Throws: `unsupported` when a part is missing, or has tensors without an original name.
  public static func original(
    _ family: SingleFileFamily,
    parts: [String: (configuration: JSONValue, source: any TensorSource)], scheduler: JSONValue,
    origin: String
  ) throws(CheckpointError) -> CombinedSource {
    var renamed: [(prefix: String, source: any TensorSource)] = []
    var metadata = [
      "format": "pt", "modelspec.architecture": family.name,
      "modelspec.prediction_type":
        scheduler["prediction_type"]?.string == "v_prediction" ? "v" : "epsilon",
      configurationKey + "scheduler": scheduler.text(),
    ]
    for part in family.parts {
      guard let (configuration, source) = parts[part.name] else {
        throw .unsupported(
          file: origin, reason: "it has no \(part.name), which \(family.title) consists of")
      }
      let recipes = part.naming.original(Array(source.keys), source)
      let used = Set(recipes.values.flatMap { $0.places.map(\.key) })
      let left = source.keys.subtracting(used).filter { !$0.hasSuffix("position_ids") }
      guard left.isEmpty else {
        throw .unsupported(
          file: source.origin,
          reason:
            "its tensors \(left.sorted().prefix(4).joined(separator: ", ")) have no name in the "
            + "files of \(family.title)")
      }
      renamed.append((part.prefix, RenamedSource(source, recipes)))
      metadata[configurationKey + part.name] = configuration.text()
    }
    var result = try CombinedSource(renamed, origin: origin)
    result.metadata = metadata
    return result
  }

  /// The configuration that a file written here keeps of a part.
  static func stored(
    _ part: String, in source: any TensorSource
  ) throws(CheckpointError) -> JSONValue? {
    guard let text = source.metadata[configurationKey + part] else { return nil }
    do {
      return try JSONValue.parse(text, options: .python)
    } catch {
      throw .corrupt(
        file: source.origin, reason: "the configuration of its \(part) is not valid JSON: \(error)")
    }
  }
}

extension SingleFileCheckpoint {
  /// The parts that models of `family` consist of.
  public static func partNames(of family: SingleFileFamily) -> [String] {
    family.parts.map(\.name)
  }
}
