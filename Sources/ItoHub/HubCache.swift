import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The cache's folder of one repository, laid out as the Hugging Face tools do:
/// `blobs/ETAG` holds contents, `snapshots/COMMIT/PATH` are links to them, `refs/REVISION` is the
/// commit of a revision, and `ETAG.incomplete` what has arrived of a file.
struct HubCache {
  let root: String
  let folder: String

  init(_ cache: String, _ repository: RepositoryName) {
    root = cache
    folder = "\(cache)/\(repository.folder)"
  }

  func blob(_ etag: String) -> String { "\(folder)/blobs/\(etag)" }
  func snapshot(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }

  /// The snapshot of a revision, when there is one.
  func snapshot(of revision: String) -> String? {
    if let bytes = try? readFile("\(folder)/refs/\(revision)", limit: 256) {
      let commit = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      if commit.count == 1, commit[0].allSatisfy(\.isHexDigit),
        Self.isFolder(snapshot(String(commit[0])))
      {
        return snapshot(String(commit[0]))
      }
    }
    return Self.isFolder(snapshot(revision)) ? snapshot(revision) : nil
  }

  /// Notes that a revision is this commit.
  func setReference(_ revision: String, _ commit: String) throws(HubError) {
    let path = "\(folder)/refs/\(revision)"
    try Self.makeFolders(for: path)
    do {
      try AtomicFile.write(path, bytes: Array(commit.utf8))
    } catch {
      throw .file(error)
    }
  }

  /// Puts a file whose contents have arrived into a snapshot: a link, or a copy where the file
  /// system has none.
  func link(_ path: String, to etag: String, commit: String) throws(HubError) {
    let place = "\(snapshot(commit))/\(path)"
    try Self.makeFolders(for: place)
    let up = String(repeating: "../", count: 2 + path.utf8.count { $0 == UInt8(ascii: "/") })
    let target = "\(up)blobs/\(etag)"
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(place, &buffer, buffer.count - 1)
    if length > 0,
      String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) == target
    {
      return
    }
    let temporary = "\(place).\(getpid()).partial"
    unlink(temporary)
    if symlink(target, temporary) != 0 {
      guard errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS else {
        throw .file(FileError(.create, path: place, code: errno))
      }
      try copy(blob(etag), to: place)
      return
    }
    guard rename(temporary, place) == 0 else {
      let code = errno
      unlink(temporary)
      throw .file(FileError(.replace, path: place, code: code))
    }
  }

  private func copy(_ source: String, to target: String) throws(HubError) {
    do {
      let from = open(source, O_RDONLY | O_CLOEXEC)
      guard from >= 0 else { throw FileError(.open, path: source, code: errno) }
      defer { close(from) }
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      try AtomicFile.write(target) { (file) throws(FileError) in
        while true {
          let count = read(from, &buffer, buffer.count)
          if count < 0 { throw FileError(.read, path: source, code: errno) }
          if count == 0 { return }
          try file.write(Array(buffer[..<count]))
        }
      }
    } catch let error as FileError {
      throw .file(error)
    } catch {
      throw .file(FileError(.write, path: target, code: EIO))
    }
  }

  /// Runs `body` while no other process fetches the same contents.
  func locking<R>(_ etag: String, _ body: () throws(HubError) -> R) throws(HubError) -> R {
    let path = "\(root)/.locks/\(folder.split(separator: "/").last ?? "x")/\(etag).lock"
    try Self.makeFolders(for: path)
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .file(FileError(.create, path: path, code: errno)) }
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
    return try body()
  }

  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The size of a file; nil when there is none.
  static func size(_ path: String) -> Int? {
    var info = stat()
    guard stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(info.st_size)
  }

  /// Makes the folders above `path`.
  static func makeFolders(for path: String) throws(HubError) {
    var end = path.startIndex
    while let slash = path[path.index(after: end)...].firstIndex(of: "/") {
      let folder = String(path[..<slash])
      if !isFolder(folder) && mkdir(folder, 0o777) != 0 && errno != EEXIST {
        throw .file(FileError(.create, path: folder, code: errno))
      }
      end = slash
    }
  }
}
