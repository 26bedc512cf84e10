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
    open: { path throws(CheckpointError) in
      try RowQuantizedSource.decoding(try SafeTensors(path: path))
    })

  /// What `torch.save` writes, read without running it.
  public static let pickle = CheckpointFormat(
    name: "PyTorch pickle",
    recognises: { path, head in
      [".ckpt", ".pt", ".pth"].contains(where: path.hasSuffix)
        || head.starts(with: [0x50, 0x4B, 3, 4])
        || head.count > 1 && head[0] == 0x80 && (2...5).contains(head[1])
    },
    open: { path throws(CheckpointError) in try PickleCheckpoint(path: path) })

  /// A GGUF file.
  public static let gguf = CheckpointFormat(
    name: "GGUF", recognises: { _, head in head.starts(with: "GGUF".utf8) },
    open: { path throws(CheckpointError) in try GGUF(path: path) })

  /// Several safetensors files and their index.
  public static let shardedSafeTensors = CheckpointFormat(
    name: "sharded safetensors",
    recognises: { path, _ in path.hasSuffix(".json") && path.contains(".safetensors.index.") },
    open: { path throws(CheckpointError) in
      try RowQuantizedSource.decoding(try ShardedSource(index: path))
    })
}

/// Opening of checkpoints of any format.
public enum Checkpoint {
  /// Opens the checkpoint at `path`: a file of a known format, or a folder with one.
  ///
  /// In a folder, `model` and `diffusion_pytorch_model` come first, a single file before an index and
  /// plain weights before a variant in half precision (`model.fp16.safetensors`); otherwise there must
  /// be exactly one.
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
    // The plain weights, then those in half precision, whole or in shards.
    let ends = [
      ".safetensors", ".safetensors.index.json", ".fp16.safetensors",
      ".safetensors.index.fp16.json", ".bf16.safetensors", ".safetensors.index.bf16.json",
    ]
    for stem in ["model", "diffusion_pytorch_model"] {
      for end in ends where names.contains(stem + end) { return base + stem + end }
    }
    for end in [".safetensors.index.json", ".safetensors", ".gguf", ".ckpt", ".pt"] {
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
