public import ItoCheckpoints
import ItoComponents
import ItoTensors

/// What the tensors of a file are, in a line for people.
public struct CheckpointIdentity: Sendable, Hashable {
  /// A short name for programs: `sd1`, `adapter`, `textual-inversion`; nil when it is unknown.
  public let family: String?
  /// What it is, or why that is not known.
  public let text: String

  /// Looks at the names and shapes in `source`.
  public init(_ source: any TensorSource) {
    do {
      let model = try SingleFileCheckpoint(source)
      var text = model.isWhole ? model.family.title : "part of a \(model.family.title)"
      if Set(model.parts.keys) == ["vae"] { text = "an autoencoder of Stable Diffusion" }
      if let variant = model.variant { text += ", \(variant)" }
      text += "; has \(model.parts.keys.sorted().joined(separator: ", "))"
      if !model.missing.isEmpty { text += "; without \(model.missing.joined(separator: ", "))" }
      if let prediction = model.scheduler["prediction_type"]?.string, model.parts["unet"] != nil {
        text += "; predicts \(prediction == "v_prediction" ? "velocity" : "noise")"
      }
      (family, self.text) = (model.family.name, text)
    } catch {
      if let adapter = try? AdapterFile(source) {
        let parts = adapter.parts.sorted().joined(separator: ", ")
        family = "adapter"
        text = "an adapter (LoRA or a relative) of \(adapter.count) weights of \(parts)"
      } else if let embedding = try? TextualInversion(source) {
        let sizes = embedding.vectors.sorted { $0.key < $1.key }.map {
          "\($0.key) \($0.value.shape)"
        }
        family = "textual-inversion"
        text = "a textual inversion of '\(embedding.word)' for \(sizes.joined(separator: ", "))"
      } else {
        family = nil
        text = error.description
      }
    }
  }
}

extension SingleFileCheckpoint {
  /// The tensors of the part `name` in `source`, by their published names: `source` itself when it is
  /// not in the naming of an original repository.
  public static func part(_ name: String, of source: any TensorSource) -> any TensorSource {
    (try? SingleFileCheckpoint(source))?.parts[name]?.source ?? source
  }

  /// Whether every part of the family is there.
  public var isWhole: Bool { missing.isEmpty }
}
