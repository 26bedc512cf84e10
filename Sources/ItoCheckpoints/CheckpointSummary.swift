public import ItoComponents
import ItoTensors

/// What a checkpoint, a model's folder or a configuration is, without reading its tensors.
public struct CheckpointSummary: Sendable, Hashable {
  /// How much there is of one element type.
  public struct TypeCount: Sendable, Hashable {
    /// The format's name for the type.
    public var type: String
    /// Tensors of it.
    public var tensors: Int
    /// Scalars in them.
    public var scalars: Int
  }

  /// A part of a pipeline.
  public struct Component: Sendable, Hashable {
    /// Its name, also that of its folder.
    public var name: String
    /// Its class as the pipeline's index gives it.
    public var className: String
    /// Its folder's summary; nil when there is none that can be read.
    public var summary: CheckpointSummary?
    /// Why there is none.
    public var problem: String?
  }

  /// The path summarised.
  public var path: String
  /// `safetensors`, `sharded safetensors`, `configuration` or `pipeline`.
  public var format: String
  /// The class its configuration names: `UNet2DModel`.
  public var className: String?
  /// Its configuration.
  public var configuration: JSONValue?
  /// Its tensors, in the order of the file.
  public var tensors: [StoredTensor] = []
  /// Free text stored with them.
  public var metadata: [String: String] = [:]
  /// The parts of a pipeline.
  public var components: [Component] = []

  /// Scalars in all tensors.
  public var scalarCount: Int { tensors.reduce(0) { $0 + $1.shape.count } }
  /// Bytes of all tensors.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  /// Element types, the one with most scalars first.
  public var types: [TypeCount] {
    var counts: [String: TypeCount] = [:]
    for tensor in tensors {
      let old = counts[tensor.type] ?? TypeCount(type: tensor.type, tensors: 0, scalars: 0)
      counts[tensor.type] = TypeCount(
        type: tensor.type, tensors: old.tensors + 1, scalars: old.scalars + tensor.shape.count)
    }
    return counts.values.sorted { ($1.scalars, $0.type) < ($0.scalars, $1.type) }
  }
}

extension CheckpointSummary {
  /// Names under which folders keep their configuration.
  private static let configurations = [
    "config.json", "scheduler_config.json", "tokenizer_config.json", "preprocessor_config.json",
  ]

  /// Summarises a checkpoint, a JSON configuration, a folder with either or both, or a pipeline's
  /// folder.
  public init(path: String) throws(CheckpointError) {
    try self.init(path: path, mayBePipeline: true)
  }

  /// A part of a pipeline is not taken for a pipeline, since links could make it its own part.
  private init(path: String, mayBePipeline: Bool) throws(CheckpointError) {
    guard Checkpoint.isFolder(path) else {
      let isConfiguration = path.hasSuffix(".json") && !path.contains(".safetensors.index.")
      self = isConfiguration ? try Self.configuration(path) : try Self.checkpoint(path)
      return
    }
    let base = path.hasSuffix("/") ? path : path + "/"
    let names = try Checkpoint.files(in: path)
    if mayBePipeline && names.contains("model_index.json") {
      self = try Self.pipeline(base, named: path)
      return
    }
    let configuration = Self.configurations.first(where: names.contains)
    let hasTensors = names.contains { name in
      [".safetensors", ".gguf", ".ckpt", ".pt"].contains(where: name.hasSuffix)
        || name.contains(".safetensors.index.")
    }
    guard configuration != nil || hasTensors else {
      throw .unsupported(file: path, reason: "it holds neither a checkpoint nor a configuration")
    }
    self.init(path: path, format: "configuration")
    if hasTensors { self = try Self.checkpoint(path) }
    if let configuration {
      let found = try Self.configuration(base + configuration)
      className = found.className
      self.configuration = found.configuration
    }
  }

  private init(path: String, format: String) {
    self.path = path
    self.format = format
  }

  private static func checkpoint(_ path: String) throws(CheckpointError) -> CheckpointSummary {
    let (source, format) = try Checkpoint.opened(path)
    var summary = CheckpointSummary(path: path, format: format)
    summary.tensors = source.contents
    summary.metadata = source.metadata
    return summary
  }

  private static func configuration(_ path: String) throws(CheckpointError) -> CheckpointSummary {
    let json = try readJSON(path)
    var summary = CheckpointSummary(path: path, format: "configuration")
    summary.configuration = json
    // diffusers, then transformers.
    summary.className =
      json["_class_name"]?.string ?? json["architectures"]?[0]?.string
      ?? json["tokenizer_class"]?.string ?? json["model_type"]?.string
    return summary
  }

  private static func pipeline(
    _ base: String, named path: String
  ) throws(CheckpointError) -> CheckpointSummary {
    var summary = try configuration(base + "model_index.json")
    summary.path = path
    summary.format = "pipeline"
    for (name, value) in summary.configuration?.object ?? [:] {
      // A part is ["library", "Class"]; one that is left out is [null, null].
      guard !name.hasPrefix("_"), let className = value[1]?.string else { continue }
      var component = Component(name: name, className: className)
      if name.utf8.contains(UInt8(ascii: "/")) || !Checkpoint.isFolder(base + name) {
        component.problem = "its folder is missing"
      } else {
        do {
          component.summary = try CheckpointSummary(path: base + name, mayBePipeline: false)
        } catch {
          component.problem = error.description
        }
      }
      summary.components.append(component)
    }
    return summary
  }
}
