import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A folder that appears whole or not at all: it is filled under another name beside its own and
/// renamed at the end. Dropped before that, it goes with all that is in it.
struct NewFolder: ~Copyable {
  let target: String
  private let temporary: String
  private var isCommitted = false

  init(_ path: String) throws(PipelineError) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    target = path
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    temporary = "\(path[..<slash]).\(path[slash...]).\(getpid()).partial"
    if mkdir(temporary, 0o777) != 0 {
      throw .file(FileError(.create, path: path, code: errno))
    }
  }

  deinit { if !isCommitted { Self.remove(temporary) } }

  /// The place of a file in it, whose folder is made.
  func path(_ name: String) throws(PipelineError) -> String {
    var folder = temporary
    for part in name.split(separator: "/").dropLast() {
      folder += "/\(part)"
      if mkdir(folder, 0o777) != 0 && errno != EEXIST {
        throw .file(FileError(.create, path: folder, code: errno))
      }
    }
    return "\(temporary)/\(name)"
  }

  /// Writes a JSON file.
  func write(_ json: JSONValue, _ name: String) throws(PipelineError) {
    let path = try path(name)
    try wrapping(PipelineError.file) { () throws(FileError) in
      try AtomicFile.write(path, bytes: Array((json.text() + "\n").utf8))
    }
  }

  /// Copies the small files of a folder, configurations and vocabularies, into the folder `name`.
  ///
  /// - Returns: whether it also has weights, which are not copied.
  @discardableResult
  func copy(_ source: String, to name: String) throws(PipelineError) -> Bool {
    var hasWeights = false
    for file in try Self.names(in: source) {
      if file.contains(".safetensors") || file.hasSuffix(".bin") {
        hasWeights = true
        continue
      }
      guard [".json", ".txt", ".model"].contains(where: file.hasSuffix) else { continue }
      let bytes = try wrapping(PipelineError.file) { () throws(FileError) in
        try readFile("\(source)/\(file)", limit: 1 << 28)
      }
      let path = try path("\(name)/\(file)")
      try wrapping(PipelineError.file) { () throws(FileError) in
        try AtomicFile.write(path, bytes: bytes)
      }
    }
    return hasWeights
  }

  /// The names in a folder, sorted, without `.` and `..`.
  static func names(in folder: String) throws(PipelineError) -> [String] {
    guard let stream = opendir(folder) else {
      throw .file(FileError(.open, path: folder, code: errno))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes it visible under its own name.
  consuming func commit() throws(PipelineError) {
    guard rename(temporary, target) == 0 else {
      throw .file(FileError(.replace, path: target, code: errno))
    }
    isCommitted = true
  }

  private static func remove(_ path: String) {
    // What cannot be listed cannot be emptied either.
    for name in (try? names(in: path)) ?? [] {
      // Links are removed, not followed.
      var info = stat()
      let isFolder = lstat("\(path)/\(name)", &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
      if isFolder { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
    }
    rmdir(path)
  }
}
