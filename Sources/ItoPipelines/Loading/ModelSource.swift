public import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Where a model's parts are, before any of them is loaded.
public struct ModelSource: Sendable {
  /// The folder or file.
  public let path: String
  /// Itô's own `model.json`, if there is one.
  public let manifest: JSONValue?
  /// A pipeline's `model_index.json`, if there is one.
  public let index: JSONValue?
  /// The parts by name.
  public private(set) var components: [String: ModelComponent] = [:]

  /// A source of given parts.
  public init(
    path: String, manifest: JSONValue? = nil, index: JSONValue?,
    components: [String: ModelComponent]
  ) {
    self.path = path
    self.manifest = manifest
    self.index = index
    self.components = components
  }

  /// What lies at `path`.
  ///
  /// - Parameters:
  ///   - variant: which of several published precisions, such as `fp16`.
  ///   - configurations: for a model in one file, a folder with configurations and tokenizers.
  ///   - tokenizer: for a model in one file, the folder of CLIP's tokenizer, if there is none nearer.
  /// - Throws: when nothing is there, or an index cannot be read.
  public init(
    _ path: String, variant: String? = nil, configurations: String? = nil,
    tokenizer: String? = nil
  ) throws(PipelineError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var status = stat()
    guard stat(path, &status) == 0 else { throw .file(FileError(.open, path: path, code: errno)) }
    if status.st_mode & S_IFMT == S_IFREG {
      self = try ModelSource(
        singleFile: path, configurations: configurations, tokenizer: tokenizer)
      return
    }
    self.path = path
    manifest = try readJSON(path + "/model.json")
    index = try readJSON(path + "/model_index.json")
    for (name, value) in index?.object ?? [:] {
      // A part is named with library and class; null for one that is left out.
      guard let pair = value.array, pair.count == 2, let className = pair[1].string,
        !name.contains("/")
      else { continue }
      guard components.count < 64 else {
        throw .manifest(
          file: path + "/model_index.json", key: name,
          reason: "is one part too many: 64 are allowed, and no pipeline has a third of them")
      }
      components[name] = ModelComponent(
        name: name, className: className, folder: path + "/" + name, variant: variant)
    }
  }

  /// The last part of the path.
  public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// The pipeline's class as its index names it.
  public var className: String? { index?["_class_name"]?.string }

  /// The part called `name`.
  public func component(_ name: String) throws(PipelineError) -> ModelComponent {
    guard let component = components[name] else {
      throw .manifest(
        file: path + "/model_index.json", key: name, reason: "is missing: the model needs it")
    }
    return component
  }

  /// The same with the part `name` taken from elsewhere: a folder of its own, a model folder that has
  /// such a part, or a file of weights for the configuration that is here.
  public func replacing(_ name: String, with path: String) throws(PipelineError) -> ModelSource {
    var result = self
    var status = stat()
    guard stat(path, &status) == 0 else { throw .file(FileError(.open, path: path, code: errno)) }
    if status.st_mode & S_IFMT == S_IFREG {
      result.components[name] = try component(name).withWeights(path)
      return result
    }
    let folder = [path, path + "/" + name].first { access($0 + "/config.json", F_OK) == 0 }
    guard let folder else {
      throw .request("\(path) has neither config.json nor \(name)/config.json; name such a folder")
    }
    let className = try readJSON(folder + "/config.json")?["_class_name"]?.string
    result.components[name] = ModelComponent(
      name: name, className: className ?? components[name]?.className, folder: folder)
    return result
  }

  /// What it is, for a message that says it cannot be used.
  var summary: String {
    if let className { return "pipelines of class \(className) are not supported" }
    return manifest == nil
      ? "there is neither model.json nor model_index.json here"
      : "its model.json describes no model that draws"
  }
}
