#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Writes a file so that a reader, a crash or a full disk never sees half of it.
///
/// Bytes go to a hidden temporary file in the same folder; `commit` flushes it to the device,
/// renames it over the target and flushes the folder. A value dropped before `commit` removes its
/// temporary file and leaves the target as it was. What a killed process leaves behind
/// (`.NAME.partial`) is reused by the next write of the same name.
///
/// A symbolic link is followed, and an existing file keeps its permissions. Something that is not
/// a regular file (`/dev/stdout`, a pipe) is written directly.
public struct AtomicFile: ~Copyable {
  /// The file that `commit` replaces.
  public let path: String
  /// Bytes appended so far.
  public private(set) var byteCount = 0

  private var descriptor: Int32
  // Nil when writing directly, or when there is nothing left to remove.
  private var temporary: String?
  private let target: String

  /// Starts a new version of the file at `path`. The folder must exist.
  public init(_ path: String) throws(FileError) {
    // Nothing is stored until all has succeeded: a half-made value would run `deinit`.
    let (descriptor, temporary, target) = try Self.begin(path)
    self.path = path
    self.descriptor = descriptor
    self.temporary = temporary
    self.target = target
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let temporary { unlink(temporary) }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes
    while !rest.isEmpty {
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      #else
        let written = Musl.write(descriptor, rest.baseAddress, rest.count)
      #endif
      if written < 0 && errno == EINTR { continue }
      if written < 0 { throw FileError(.write, path: path, code: errno) }
      byteCount += written
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(FileError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Appends text as UTF-8.
  public mutating func write(_ text: String) throws(FileError) { try write(Array(text.utf8)) }

  /// Makes the new version the file, durably. Nothing is visible under `path` before this.
  public consuming func commit() throws(FileError) {
    guard let temporary else {
      let code = Self.closing(&descriptor)
      if code != 0 { throw FileError(.close, path: path, code: code) }
      return
    }
    if fsync(descriptor) != 0 { throw FileError(.flush, path: path, code: errno) }
    // Renamed while still open, so that the lock covers the temporary name to the end.
    if rename(temporary, target) != 0 { throw FileError(.replace, path: path, code: errno) }
    self.temporary = nil
    let code = Self.closing(&descriptor)
    if code != 0 { throw FileError(.close, path: path, code: code) }
    // Some file systems cannot flush a folder; the rename itself has happened either way.
    let folder = open(Self.split(target).folder, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Writes a whole file: `body` appends, and the file appears when it returns. When `body` throws,
  /// nothing is left behind.
  public static func write(
    _ path: String, _ body: (inout AtomicFile) throws(FileError) -> Void
  ) throws(FileError) {
    var file = try AtomicFile(path)
    try body(&file)
    try file.commit()
  }

  /// Writes `bytes` as the whole file.
  public static func write(_ path: String, bytes: [UInt8]) throws(FileError) {
    try write(path) { (file) throws(FileError) in try file.write(bytes) }
  }
}

extension AtomicFile {
  /// The folder (`.` when `path` names none) and the last component.
  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let name = String(path[path.index(after: slash)...])
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  /// `path` with symbolic links followed, so that a link stays a link.
  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func begin(
    _ path: String
  ) throws(FileError) -> (descriptor: Int32, temporary: String?, target: String) {
    var info = stat()
    let exists = stat(path, &info) == 0
    if exists && info.st_mode & S_IFMT == S_IFDIR {
      throw FileError(.create, path: path, code: EISDIR)
    }
    if exists && info.st_mode & S_IFMT != S_IFREG {
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      if descriptor < 0 { throw FileError(.create, path: path, code: errno) }
      return (descriptor, nil, path)
    }
    let target = exists ? resolved(path) : path
    let (descriptor, temporary) = try openTemporary(for: target, path: path)
    // Failing to copy permissions (a foreign owner) must not stop the write.
    if exists { _ = fchmod(descriptor, info.st_mode & 0o7777) }
    return (descriptor, temporary, target)
  }

  private static func closing(_ descriptor: inout Int32) -> Int32 {
    defer { descriptor = -1 }
    return close(descriptor) == 0 ? 0 : errno
  }

  /// An empty, locked temporary file beside `target`.
  ///
  /// The lock tells a file that another process is writing from one that a killed process left.
  private static func openTemporary(
    for target: String, path: String
  ) throws(FileError) -> (Int32, String) {
    let (folder, name) = split(target)
    if name.isEmpty { throw FileError(.create, path: path, code: EISDIR) }
    let stem = (folder == "/" ? "/." : folder + "/.") + String(name.unicodeScalars.prefix(56))
    for attempt in 0..<64 {
      let unique = attempt == 0 ? "" : "." + String(UInt32.random(in: 0 ... .max), radix: 36)
      let candidate = stem + unique + ".partial"
      let descriptor = open(candidate, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor < 0 {
        // Another user's leftover or a link: take another name.
        if attempt == 0 && (errno == ELOOP || errno == EACCES || errno == EISDIR) { continue }
        throw FileError(.create, path: path, code: errno)
      }
      var opened = stat()
      var named = stat()
      let locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
      // Between opening and locking, the holder may have renamed this very file.
      if locked && fstat(descriptor, &opened) == 0 && lstat(candidate, &named) == 0
        && opened.st_ino == named.st_ino && opened.st_nlink == 1 && ftruncate(descriptor, 0) == 0
      {
        return (descriptor, candidate)
      }
      let unsupported = !locked && errno != EWOULDBLOCK
      close(descriptor)
      if unsupported { return try openUnlocked(stem: stem, path: path) }
    }
    throw FileError(.create, path: path, code: EBUSY)
  }

  /// For file systems without locks: a name nobody else has.
  private static func openUnlocked(
    stem: String, path: String
  ) throws(FileError) -> (Int32, String) {
    let candidate = stem + "." + String(UInt64.random(in: 0 ... .max), radix: 36) + ".partial"
    let descriptor = open(candidate, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw FileError(.create, path: path, code: errno) }
    return (descriptor, candidate)
  }
}
