import ItoCheckpoints
import ItoComponents
import ItoTensors

/// A family of models whose parts are published together in one file, in the naming of the
/// repository they come from.
public struct SingleFileFamily: Sendable {
  /// A part of such a model.
  struct Part: Sendable {
    /// Its name in a published folder: `unet`.
    var name: String
    /// Its class there.
    var className: String
    /// What its tensors' names begin with in the file.
    var prefix: String
    var naming: PartNaming
    /// Its configuration, inferred from its published tensors.
    var configuration: @Sendable (any TensorSource) -> JSONObject
  }

  /// What people call it.
  public let title: String
  /// A short name for programs.
  public let name: String
  /// The class of its pipeline.
  let pipeline: String
  let parts: [Part]
  /// Its tokenizers' folders; the files themselves are not part of a checkpoint.
  let tokenizers: [String]
  /// The noise schedule it is trained with.
  let scheduler: @Sendable (SingleFileFacts) -> JSONObject
  /// Whether a network alone is of this family, from the width of what it attends to.
  let contextWidth: Int
  /// Prefixes that only a whole model of this family has, all of them.
  let marks: [String]

  /// Whether a file with these names is a whole model of this family.
  func recognises(_ names: NameTree) -> Bool {
    names.has("model.diffusion_model.input_blocks") && marks.allSatisfy(names.has)
  }
}

/// What the configuration of a model depends on beside the shapes of its tensors.
struct SingleFileFacts: Sendable {
  /// `epsilon` or `v_prediction`.
  var prediction: String
  /// Whether its schedule ends in pure noise.
  var hasZeroTerminalSNR: Bool

  /// Facts from the marker tensors and metadata that trainers leave: `v_pred`, `ztsnr`,
  /// `modelspec.prediction_type`.
  ///
  /// - Parameter usual: the prediction of the family when nothing is said.
  init(_ source: any TensorSource, usual: String) {
    let keys = source.keys
    let said = source.metadata["modelspec.prediction_type"] ?? ""
    if keys.contains("v_pred") || said.hasPrefix("v") {
      prediction = "v_prediction"
    } else if said.hasPrefix("eps") || source.metadata["global_step"] == "875000" {
      // The step at which the base model of Stable Diffusion 2 was saved, which predicts noise.
      prediction = "epsilon"
    } else {
      prediction = usual
    }
    hasZeroTerminalSNR = keys.contains("ztsnr")
  }
}
