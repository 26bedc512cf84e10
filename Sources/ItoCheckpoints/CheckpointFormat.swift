import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A way of keeping named tensors in files.
public struct CheckpointFormat: Sendable {
  /// The name users know it by.
  public let name: String
  let recognises: @Sendable (_ path: String, _ head: [UInt8]) -> Bool
  let open: @Sendable (_ path: String) throws(CheckpointError) -> any TensorSource

  /// A format.
  ///
  /// - Parameters:
  ///   - recognises: whether a file is of this format, from its path and its first 64 bytes.
  ///   - open: opens such a file.
  public init(
    name: String, recognises: @escaping @Sendable (_ path: String, _ head: [UInt8]) -> Bool,
    open: @escaping @Sendable (_ path: String) throws(CheckpointError) -> any TensorSource
  ) {
    self.name = name
    self.recognises = recognises
    self.open = open
  }

  /// One safetensors file.
  public static let safeTensors = CheckpointFormat(
    name: "safetensors",
    recognises: { path, head in
      path.hasSuffix(".safetensors") || (head.count > 8 && head[7] == 0 && head[8] == 0x7B)
    },
    open: { path throws(CheckpointError) in try SafeTensors(path: path) })

  /// Several safetensors files and their index.
  public static let shardedSafeTensors = CheckpointFormat(
    name: "sharded safetensors",
    recognises: { path, _ in path.hasSuffix(".index.json") },
    open: { path throws(CheckpointError) in try ShardedSource(index: path) })
}

/// Opening of checkpoints of any format.
public enum Checkpoint {
  /// Opens the checkpoint at `path`: a file of a known format, or a folder with one.
  ///
  /// In a folder, `model` and `diffusion_pytorch_model` come first, a single file before an index;
  /// otherwise there must be exactly one.
  public static func open(_ path: String) throws(CheckpointError) -> any TensorSource {
    try opened(path).source
  }

  static func opened(
    _ path: String
  ) throws(CheckpointError) -> (source: any TensorSource, format: String) {
    let path = isFolder(path) ? try checkpoint(in: path) : path
    let head = try firstBytes(of: path)
    if let other = misidentified(head) { throw .unsupported(file: path, reason: other) }
    guard let format = CheckpointFormat.builtin.first(where: { $0.recognises(path, head) }) else {
      let known = CheckpointFormat.builtin.map(\.name).joined(separator: ", ")
      throw .unsupported(file: path, reason: "it is no checkpoint of a known format (\(known))")
    }
    return (try format.open(path), format.name)
  }

  /// What a file is that people take for a checkpoint, and what to do with it.
  private static func misidentified(_ head: [UInt8]) -> String? {
    func begins(_ text: String) -> Bool { head.starts(with: text.utf8) }
    if begins("version https://git-lfs") {
      return "it is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'"
    }
    if begins("PK\u{3}\u{4}") || head.starts(with: [0x80, 0x02]) {
      return "it is a PyTorch pickle, which can run any program when it is read; "
        + "convert it to safetensors"
    }
    if begins("GGUF") { return "GGUF files are not supported; use safetensors" }
    if begins("<!") || begins("<html") {
      return "it is a web page, not a checkpoint; download it again"
    }
    return nil
  }

  private static func firstBytes(of path: String) throws(CheckpointError) -> [UInt8] {
    let file = try MappedFile(path)
    return Array(file.bytes.prefix(64))
  }

  /// The checkpoint a folder holds.
  static func checkpoint(in folder: String) throws(CheckpointError) -> String {
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    let names = try files(in: folder)
    for stem in ["model", "diffusion_pytorch_model"] {
      for end in [".safetensors", ".safetensors.index.json"] where names.contains(stem + end) {
        return base + stem + end
      }
    }
    for end in [".safetensors.index.json", ".safetensors"] {
      let found = names.filter { $0.hasSuffix(end) }
      if found.count == 1 { return base + found[0] }
      if found.count > 1 {
        throw .unsupported(
          file: folder,
          reason:
            "it holds several checkpoints (\(found.joined(separator: ", "))); name one of them")
      }
    }
    throw .unsupported(
      file: folder,
      reason: names.contains("model_index.json")
        ? "it is a pipeline of several models; name the folder of one of them"
        : "it holds no checkpoint")
  }

  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a folder, sorted.
  static func files(in folder: String) throws(CheckpointError) -> [String] {
    guard let stream = opendir(folder) else {
      throw .file(FileError(.open, path: folder, code: errno))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }
}
