#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Reads the whole file at `path`.
///
/// - Parameter limit: The most bytes to take; a longer file is an `EFBIG` error, and no more memory
///   than the limit is ever used, also for endless sources such as `/dev/zero`.
public func readFile(_ path: String, limit: Int = 1 << 31) throws(FileError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  if descriptor < 0 { throw FileError(.open, path: path, code: errno) }
  defer { close(descriptor) }
  var info = stat()
  if fstat(descriptor, &info) != 0 { throw FileError(.read, path: path, code: errno) }
  if info.st_mode & S_IFMT == S_IFDIR { throw FileError(.read, path: path, code: EISDIR) }
  if Int(info.st_size) > limit { throw FileError(.read, path: path, code: EFBIG) }

  // The size is a hint: a file may grow while it is read, and a pipe has none.
  var bytes: [UInt8] = []
  var capacity = max(Int(info.st_size) + 1, 4096)
  while true {
    let start = bytes.count
    let block = capacity - start
    var failure: Int32 = 0
    bytes.reserveCapacity(capacity)
    let fresh = [UInt8](unsafeUninitializedCapacity: block) { buffer, count in
      while count < block {
        let got = read(descriptor, buffer.baseAddress.map { $0 + count }, block - count)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        count += got
      }
    }
    if failure != 0 { throw FileError(.read, path: path, code: failure) }
    if start == 0 { bytes = fresh } else { bytes += fresh }
    if bytes.count > limit { throw FileError(.read, path: path, code: EFBIG) }
    if fresh.count < block { return bytes }
    capacity = min(capacity * 2, limit + 1)
  }
}
