public import ItoCheckpoints
public import ItoComponents
import ItoModels

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// One part of a model where it lies: its class, its configuration and its tensors, none of them read
/// before they are asked for.
public struct ModelComponent: Sendable {
  /// Its name in the pipeline: `unet`, `vae`, `text_encoder_2`.
  public let name: String
  /// Its class as the pipeline names it.
  public let className: String?
  /// Where it is, for messages and for files other than configuration and weights.
  public let path: String
  private let readConfiguration: @Sendable () throws(PipelineError) -> JSONValue
  private let openWeights: @Sendable () throws(PipelineError) -> any TensorSource

  /// A part read by the given functions.
  public init(
    name: String, className: String?, path: String,
    configuration: @escaping @Sendable () throws(PipelineError) -> JSONValue,
    weights: @escaping @Sendable () throws(PipelineError) -> any TensorSource
  ) {
    self.name = name
    self.className = className
    self.path = path
    readConfiguration = configuration
    openWeights = weights
  }

  /// Its settings.
  public func configuration() throws(PipelineError) -> JSONValue { try readConfiguration() }

  /// Its tensors, mapped.
  public func weights() throws(PipelineError) -> any TensorSource { try openWeights() }

  /// A folder of a model hub: `config.json` or `scheduler_config.json`, and one checkpoint.
  ///
  /// - Parameter variant: which of several checkpoints, such as `fp16`; the plain one when nil, or the
  ///   only one.
  public init(name: String, className: String?, folder: String, variant: String? = nil) {
    self.init(
      name: name, className: className, path: folder,
      configuration: { () throws(PipelineError) in
        let files = ["config.json", "scheduler_config.json"].map { folder + "/" + $0 }
        let file = files.first { access($0, F_OK) == 0 } ?? files[0]
        guard let json = try readJSON(file) else {
          throw .file(FileError(.open, path: file, code: ENOENT))
        }
        return json
      },
      weights: { () throws(PipelineError) in
        let file = try Self.checkpoint(in: folder, variant: variant)
        return try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
          try Checkpoint.open(file)
        }
      })
  }

  /// This part with the tensors of `file`, in either naming, and its own configuration.
  public func withWeights(_ file: String) -> ModelComponent {
    ModelComponent(
      name: name, className: className, path: file, configuration: readConfiguration,
      weights: { () throws(PipelineError) in
        try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
          SingleFileCheckpoint.part(self.name, of: try Checkpoint.open(file))
        }
      })
  }

  /// The checkpoint of a component's folder, by the names that publishers use.
  static func checkpoint(in folder: String, variant: String?) throws(PipelineError) -> String {
    let variants = variant.map { ["." + $0] } ?? ["", ".fp16", ".bf16"]
    for mark in variants {
      for stem in ["diffusion_pytorch_model", "model", "pytorch_model"] {
        let names = [
          "\(stem)\(mark).safetensors", "\(stem)\(mark).safetensors.index.json",
          "\(stem).safetensors.index\(mark).json", "\(stem)\(mark).bin",
        ]
        for name in names where access(folder + "/" + name, F_OK) == 0 {
          return folder + "/" + name
        }
      }
    }
    if let variant {
      throw .request(
        "\(folder) has no weights of the variant \"\(variant)\"; leave the variant out")
    }
    return folder
  }
}

/// A JSON file; nil when there is none.
func readJSON(_ file: String) throws(PipelineError) -> JSONValue? {
  guard access(file, F_OK) == 0 else { return nil }
  let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
    try readFile(file, limit: 1 << 24)
  }
  return try wrapping({ PipelineError.syntax(file: file, $0) }) { () throws(JSONError) in
    try JSONValue.parse(bytes, options: .python)
  }
}
