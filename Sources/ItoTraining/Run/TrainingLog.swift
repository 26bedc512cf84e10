import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// One line of JSON for every few steps, appended to a file.
///
/// Lines of steps that a resumed run will do again are cut off first, so the file reads as that of a
/// run that was never stopped. A line is written by one call, and a torn last line is cut off too.
struct TrainingLog {
  let path: String

  /// Drops the lines from `step` on, and everything after a line that cannot be read.
  func truncate(from step: Int) throws(FileError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try readFile(path, limit: 1 << 33) } catch {
      if error.code == ENOENT { return }
      throw error
    }
    var kept = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard line.endIndex < bytes.endIndex, let value = try? JSONValue.parse(Array(line)),
        let own = value["step"]?.int, own < step
      else { break }
      kept = line.endIndex + 1
    }
    guard kept < bytes.count else { return }
    #if canImport(Glibc)
      let result = Glibc.truncate(path, kept)
    #else
      let result = Musl.truncate(path, off_t(kept))
    #endif
    if result != 0 { throw FileError(.write, path: path, code: errno) }
  }

  /// Appends a line.
  func append(_ line: JSONValue) throws(FileError) {
    let descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw FileError(.create, path: path, code: errno) }
    defer { close(descriptor) }
    let bytes = line.utf8() + [UInt8(ascii: "\n")]
    let written = write(descriptor, bytes, bytes.count)
    if written != bytes.count {
      throw FileError(.write, path: path, code: written < 0 ? errno : ENOSPC)
    }
  }
}
