import ItoCHub
import ItoComponents
import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A folder where packed weights of checkpoints are kept between runs.
///
/// Files are named by the SHA-256 of the checkpoint's contents together with `PackedForms.identity`, so that another
/// checkpoint, library, build or instruction set finds none. A checkpoint is hashed once: its hash is remembered with the
/// inode, size and times of the file, any of which a change to it moves. Every problem costs time only: without its folder,
/// room or a readable file, weights are packed in memory.
public struct PackedCache: Sendable {
  /// Where files are.
  public var folder: String
  /// Bytes that all files may take; those used longest ago make room for new ones.
  public var limit: Int
  /// Told in a line for people what was written, and what was wrong.
  public var note: @Sendable (String) -> Void

  /// A cache in `folder`, which is made when it is needed.
  public init(
    folder: String, limit: Int = 20_000_000_000,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.folder = folder
    self.limit = limit
    self.note = note
  }

  /// The user's own place: `$XDG_CACHE_HOME/ito/packed`, else `~/.cache/ito/packed`; nil when neither variable is set.
  public static func standardFolder(_ environment: (String) -> String?) -> String? {
    // The specification ignores what is not an absolute path.
    if let cache = environment("XDG_CACHE_HOME"), cache.hasPrefix("/") {
      return cache + "/ito/packed"
    }
    return environment("HOME").flatMap { $0.isEmpty ? nil : $0 + "/.cache/ito/packed" }
  }

  /// Lets the weights of `file` be packed into this cache and out of it.
  public func attach(to file: MappedFile) {
    guard file.packedForms == nil, file.byteCount > 0, makeFolder() else { return }
    guard let version = file.stamp?.version, let contents = contentHash(of: file) else { return }
    let name = String(Self.hash(Array("\(contents) \(PackedForms.identity)".utf8)).prefix(32))
    let files = makeRoom(for: name, bytes: file.byteCount)
    let path = file.path
    file.keepPackedForms(
      PackedForms(folder: folder, name: name, room: limit - files, of: file.bytes) {
        if let line = line($0, of: path) { note(line) }
      }, version: version)
  }

  /// What is worth telling.
  private func line(_ s: PackedForms.Statistics, of path: String) -> String? {
    var parts: [String] = []
    if s.damaged > 0 { parts.append("a damaged file was removed and its weights packed anew") }
    if s.error != 0 {
      parts.append("not written: \(FileError(.write, path: folder, code: s.error).reason)")
    } else if s.added > 0 {
      let tenths = (s.addedBytes + 50_000_000) / 100_000_000
      parts.append("\(s.added) weights written, \(tenths / 10).\(tenths % 10) GB")
    }
    if s.isFull { parts.append("the limit leaves no room for others") }
    return parts.isEmpty ? nil : "packed cache of \(path): " + parts.joined(separator: "; ")
  }

  private func makeFolder() -> Bool {
    var at = folder.startIndex
    while at != folder.endIndex {
      at = folder[folder.index(after: at)...].firstIndex(of: "/") ?? folder.endIndex
      if mkdir(String(folder[..<at]), 0o700) != 0, errno != EEXIST, at == folder.endIndex {
        note(
          "packed cache: \(FileError(.create, path: folder, code: errno)) Weights are packed in memory."
        )
        return false
      }
    }
    return true
  }
}

// MARK: - Which checkpoint

extension PackedCache {
  /// The SHA-256 of the file's contents, remembered or computed; nil when it cannot be told which version is mapped.
  private func contentHash(of file: MappedFile) -> String? {
    guard let stamp = file.stamp else { return nil }
    let memory = "\(folder)/\(Self.hash(Array(stamp.place.utf8)).prefix(32)).hash"
    if let bytes = try? readFile(memory, limit: 1 << 12) {
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      if lines.count == 2, lines[0] == stamp.version, lines[1].count == 64,
        lines[1].allSatisfy(\.isHexDigit)
      {
        return String(lines[1])
      }
    }
    let digest = Self.hash(file.bytes)
    file.releasePages()
    guard file.stamp == stamp else { return nil }
    // A file that was just written may be written again within the clock's resolution.
    if time(nil) - stamp.changed > 2 {
      try? AtomicFile.write(memory, bytes: Array("\(stamp.version)\n\(digest)\n".utf8))
    }
    return digest
  }

  private static func hash(_ bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { hash($0) }
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer) -> String {
    var state = ito_sha256()
    ito_sha256_begin(&state)
    if let base = bytes.baseAddress { ito_sha256_add(&state, base, Int64(bytes.count)) }
    var digest = [UInt8](repeating: 0, count: 32)
    ito_sha256_end(&state, &digest)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

// MARK: - Room

extension PackedCache {
  private struct Entry {
    var path: String, bytes: Int, used: Int, isOwn: Bool
  }

  /// Removes the files used longest ago, until what a checkpoint of `bytes` usually takes fits beside those that stay, and
  /// what killed processes left. Notes that those of `name` are used.
  ///
  /// - Returns: bytes of the files that stay.
  private func makeRoom(for name: String, bytes: Int) -> Int {
    var entries: [Entry] = []
    guard let handle = opendir(folder) else { return 0 }
    while let found = readdir(handle) {
      let file = withUnsafePointer(to: &found.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let path = folder + "/" + file
      var info = stat()
      guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { continue }
      if file.hasPrefix("."), file.hasSuffix(".partial") {
        removeIfLeft(path)
      } else if file.hasSuffix(".pack") {
        let isOwn = file.hasPrefix(name + ".")
        if isOwn { utimensat(AT_FDCWD, path, nil, 0) }
        entries.append(
          Entry(
            path: path, bytes: Int(info.st_size), used: Int(info.st_mtim.tv_sec), isOwn: isOwn))
      }
    }
    closedir(handle)
    // Half precision is kept widened where a library's kernel computes in float32.
    let hasOwn = entries.contains(where: \.isOwn)
    let wanted = hasOwn ? 0 : min(limit, 2 * bytes)
    var total = entries.reduce(0) { $0 + $1.bytes }
    for entry in entries.sorted(by: { $0.used < $1.used }) where !entry.isOwn {
      if total + wanted <= limit { break }
      if unlink(entry.path) == 0 { total -= entry.bytes }
    }
    return total
  }

  /// Removes a file that nobody is writing.
  private func removeIfLeft(_ path: String) {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
    close(descriptor)
  }
}
