import ItoCheckpoints
import ItoComponents
public import ItoModels
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Rewrites a model: from a folder to one file or back, from any format that is read to safetensors,
/// from one element type to another.
///
/// | from | to a `.safetensors` file | to a folder |
/// |---|---|---|
/// | a pipeline's folder | one file in the original naming | the folder with its weights rewritten |
/// | a model in one file | the same tensors | the folder it would be published as |
/// | a model folder of `ito train` | its network's tensors | the folder, its parts too |
/// | any other checkpoint | the same tensors | – |
///
/// What is written appears whole or not at all, and nothing that exists is replaced unless asked for.
public struct ModelConversion: Sendable {
  /// What is read: a folder or a file of any known format.
  public var source: String
  /// What is written.
  public var destination: String
  /// The element type of floating-point tensors; nil leaves it as it is. `int8` is for matrices and
  /// kernels, each row with its scale (see `RowQuantized`).
  public var dtype: DType?
  /// A folder with configurations and tokenizers for a file that has none.
  public var configurations: String?
  /// The family written as, where a folder could be of several.
  public var family: SingleFileFamily?
  /// Whether an existing file may be replaced.
  public var replaces = false

  /// A conversion.
  public init(from source: String, to destination: String) {
    self.source = source
    self.destination = destination
  }

  /// What was written.
  public struct Report: Sendable, Hashable {
    /// The file or folder.
    public var path: String
    /// What it is now, for people.
    public var summary: String
    /// What it lacks, that it needs to draw.
    public var lacking: [String]
    /// Bytes of all tensors before and after.
    public var bytesBefore: Int, bytesAfter: Int
    /// How far the numbers written are from those read: the root mean square of the differences over
    /// that of the numbers; nil where no element type was asked for.
    public var relativeError: Double?

    init(path: String, summary: String, lacking: [String], _ tally: ConversionTally) {
      self.path = path
      self.summary = summary
      self.lacking = lacking
      bytesBefore = tally.bytesBefore
      bytesAfter = tally.bytesAfter
      relativeError = tally.relativeError
    }
  }

  /// Converts.
  ///
  /// - Parameter progress: told the part that is being written, and how many of how many bytes of it
  ///   are.
  public func run(
    progress: (_ part: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
  ) throws(PipelineError) -> Report {
    let isFile = destination.hasSuffix(".safetensors")
    if !replaces || !isFile, access(destination, F_OK) == 0 {
      throw .request(
        "'\(destination)' exists; "
          + (isFile ? "give --force to replace it" : "choose another name, or move it away"))
    }
    let index = try json(source + "/model_index.json")
    if !isFile, access(source + "/model.json", F_OK) == 0 { return try folderFromModel(progress) }
    return switch (index, isFile) {
    case (let index?, true): try fileFromFolder(index, progress)
    case (let index?, false): try folderFromFolder(index, progress)
    case (nil, true): try fileFromFile(progress)
    case (nil, false): try folderFromFile(progress)
    }
  }

  // MARK: To a file

  private func fileFromFile(_ progress: Progress) throws(PipelineError) -> Report {
    try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) -> Report in
      let opened = try Checkpoint.open(source)
      let metadata = stored(opened) is SafeTensors ? opened.metadata : ["format": "pt"]
      var tally = ConversionTally()
      try write(opened, metadata: metadata, to: destination, "weights", &tally, progress)
      return Report(
        path: destination, summary: "\(opened.keys.count) tensors under the same names",
        lacking: [], tally)
    }
  }

  private func fileFromFolder(
    _ index: JSONValue, _ progress: Progress
  ) throws(PipelineError) -> Report {
    let width = try json("\(source)/text_encoder/config.json")?["hidden_size"]?.int
    guard let family = family ?? SingleFileFamily.published(index: index, textWidth: width) else {
      let name = index["_class_name"]?.string ?? "unknown"
      throw .request("'\(source)': pipelines of class \(name) are not written as one file")
    }
    var parts: [String: (configuration: JSONValue, source: any TensorSource)] = [:]
    for part in SingleFileCheckpoint.partNames(of: family) {
      let configuration = try json("\(source)/\(part)/config.json") ?? .object([:])
      let opened = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        try Checkpoint.open("\(source)/\(part)")
      }
      parts[part] = (configuration, opened)
    }
    let scheduler = try json("\(source)/scheduler/scheduler_config.json") ?? .object([:])
    var tally = ConversionTally()
    try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      let combined = try SingleFileCheckpoint.original(
        family, parts: parts, scheduler: scheduler, origin: source)
      try write(
        combined, metadata: combined.metadata, to: destination, family.name, &tally, progress)
    }
    return Report(
      path: destination, summary: "\(family.title) in one file", lacking: ["tokenizer"], tally)
  }

  // MARK: To a folder

  private func folderFromFile(_ progress: Progress) throws(PipelineError) -> Report {
    let model = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
      try SingleFileCheckpoint(try Checkpoint.open(source), configurations: configurations)
    }
    var tally = ConversionTally()
    let folder = try NewFolder(destination)
    try folder.write(model.index, "model_index.json")
    try folder.write(model.scheduler, "scheduler/scheduler_config.json")
    for (name, part) in model.parts.sorted(by: { $0.key < $1.key }) {
      try folder.write(part.configuration, "\(name)/config.json")
      let path = try folder.path("\(name)/\(Self.fileName(of: part.className))")
      try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        try write(part.source, metadata: ["format": "pt"], to: path, name, &tally, progress)
      }
    }
    var lacking = model.missing
    for (name, value) in model.index.object ?? [:] where name.hasPrefix("tokenizer") {
      guard value[1]?.string != nil else { continue }
      let given = configurations.map { "\($0)/\(name)" }
      if let given, access(given, F_OK) == 0 {
        try folder.copy(given, to: name)
      } else {
        lacking.append(name)
      }
    }
    try folder.commit()
    return Report(
      path: destination, summary: "\(model.family.title) as a folder", lacking: lacking, tally)
  }

  private func folderFromFolder(
    _ index: JSONValue, _ progress: Progress
  ) throws(PipelineError) -> Report {
    var tally = ConversionTally()
    let folder = try NewFolder(destination)
    try folder.write(index, "model_index.json")
    var lacking: [String] = []
    for (name, value) in index.object ?? [:] {
      guard !name.hasPrefix("_"), let className = value[1]?.string else { continue }
      let part = "\(source)/\(name)"
      if name.hasPrefix("tokenizer"), access(part, F_OK) != 0 {
        lacking.append(name)
        continue
      }
      let hasWeights = try folder.copy(part, to: name)
      guard hasWeights else { continue }
      let path = try folder.path("\(name)/\(Self.fileName(of: className))")
      try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
        let opened = try Checkpoint.open(part)
        try write(opened, metadata: ["format": "pt"], to: path, name, &tally, progress)
      }
    }
    try folder.commit()
    return Report(path: destination, summary: "the same pipeline", lacking: lacking, tally)
  }

  // MARK: Parts

  typealias Progress = (_ part: String, _ done: Int, _ total: Int) -> Void

  /// Writes `source` in the element type asked for; nothing that is stored in 8 bits is decoded unless one
  /// is.
  func write(
    _ source: any TensorSource, metadata: [String: String], to path: String, _ part: String,
    _ tally: inout ConversionTally, _ progress: Progress
  ) throws(CheckpointError) {
    let inBytes = dtype == .int8
    let offered: any TensorSource =
      inBytes ? RowQuantizingSource(source) : dtype == nil ? stored(source) : source
    try SafeTensors.write(offered, dtype: inBytes ? nil : dtype, metadata: metadata, to: path) {
      progress(part, $0, $1)
    }
    try tally.add(source, writtenTo: path, compares: dtype != nil)
  }

  /// What a file holds, of what is read from it.
  private func stored(_ source: any TensorSource) -> any TensorSource {
    (source as? RowQuantizedSource)?.base ?? source
  }

  /// The name of the weights of a class in a published folder.
  private static func fileName(of className: String) -> String {
    className.hasPrefix("CLIP") || className.hasPrefix("T5")
      ? "model.safetensors" : "diffusion_pytorch_model.safetensors"
  }

  private func json(_ path: String) throws(PipelineError) -> JSONValue? {
    guard access(path, F_OK) == 0 else { return nil }
    let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
      try readFile(path, limit: 1 << 24)
    }
    return try wrapping({ PipelineError.syntax(file: path, $0) }) { () throws(JSONError) in
      try JSONValue.parse(bytes, options: .python)
    }
  }
}
