import ItoComponents
import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Whether `path` names a regular file, links followed.
func isRegularFile(_ path: String) -> Bool {
  var info = stat()
  return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
}

/// Whether `path` names a folder, links followed.
func isFolder(_ path: String) -> Bool {
  var info = stat()
  return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
}

/// The file at `path` as UTF-8 text without a byte order mark.
func readText(_ path: String, limit: Int = 1 << 30) throws(DataError) -> String {
  let bytes: [UInt8]
  do { bytes = try readFile(path, limit: limit) } catch { throw .file(error) }
  let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
  guard let text = String(validating: hasMark ? Array(bytes.dropFirst(3)) : bytes, as: UTF8.self)
  else { throw .corrupt(path: path, reason: "it is not UTF-8 text") }
  return text
}

/// Makes the folder `path` and those above it that are missing.
func createFolder(_ path: String) throws(DataError) {
  if path.isEmpty || isFolder(path) { return }
  let parent = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
  try createFolder(parent)
  // Another process may have made it meanwhile.
  if mkdir(path, 0o777) != 0 && errno != EEXIST {
    throw .file(FileError(.create, path: path, code: errno))
  }
}

/// A file below a folder.
struct FoundFile: Sendable, Hashable {
  /// Path relative to the folder, components joined by `/`.
  var path: String
  var size: Int
  /// Time of the last change, in nanoseconds.
  var modified: Int
  /// Why it cannot be read, when that is known without opening it.
  var problem: String?
}

/// Every file below `folder`, in the byte order of the relative paths; pipes, devices and links that lead
/// nowhere with the problem that they are.
///
/// Hidden files and folders are left out. Links are followed; a folder that is reached twice is
/// listed once, so a link to a parent ends.
func files(below folder: String) throws(DataError) -> [FoundFile] {
  var found: [FoundFile] = []
  var seen: Set<[UInt64]> = []
  var pending = [""]
  while let relative = pending.popLast() {
    let path = relative.isEmpty ? folder : folder + "/" + relative
    guard let handle = opendir(path) else { throw .file(FileError(.open, path: path, code: errno)) }
    defer { closedir(handle) }
    var info = stat()
    if stat(path, &info) == 0, !seen.insert([UInt64(info.st_dev), UInt64(info.st_ino)]).inserted {
      continue
    }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(relative.isEmpty ? name : relative + "/" + name) }
    }
    // The system's order is arbitrary, and decides which name of a linked folder counts.
    for name in names.sorted(by: >) {
      guard stat(folder + "/" + name, &info) == 0 else {
        let reason = FileError(.open, path: name, code: errno).reason
        found.append(
          FoundFile(path: name, size: -1, modified: 0, problem: "it cannot be opened (\(reason))"))
        continue
      }
      switch info.st_mode & S_IFMT {
      case S_IFDIR: pending.append(name)
      case S_IFREG:
        let time = Int(info.st_mtim.tv_sec) * 1_000_000_000 + Int(info.st_mtim.tv_nsec)
        found.append(FoundFile(path: name, size: Int(info.st_size), modified: time))
      default:
        found.append(FoundFile(path: name, size: -1, modified: 0, problem: "it is no regular file"))
      }
    }
  }
  return found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
}

/// Sixteen hexadecimal digits.
func hex(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A checksum of `text` as sixteen hexadecimal digits.
func digest(_ text: String) -> String { hex(Array(text.utf8).withUnsafeBytes { checksum($0) }) }
