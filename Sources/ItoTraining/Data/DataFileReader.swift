import ItoCCodecs
import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Reads a file from start to end, undoing gzip (RFC 1952) when it is compressed.
///
/// Bytes go straight to where the caller wants them; besides them only a fixed 64 KiB window is held,
/// so a file that unpacks without end costs no more memory than was asked for.
struct DataFileReader: ~Copyable {
  let path: String
  /// The most bytes that can possibly come, a function of the file's size. deflate grows data at
  /// most 1032-fold (RFC 1951: 258 bytes from 2 bits), which tells an impossible header early.
  let sizeBound: Int
  let isCompressed: Bool

  private let descriptor: Int32
  private let window: UnsafeMutableRawBufferPointer
  // zlib keeps the address of its stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>?
  private var ended = false

  private static let windowSize = 1 << 16

  init(_ path: String) throws(DataError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw .file(FileError(.open, path: path, code: errno)) }
    var info = stat()
    var magic: (UInt8, UInt8) = (0, 0)
    if fstat(descriptor, &info) != 0 || info.st_mode & S_IFMT != S_IFREG {
      close(descriptor)
      throw .file(
        FileError(.open, path: path, code: info.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL))
    }
    let sniffed = pread(descriptor, &magic, 2, 0)
    let isCompressed = sniffed == 2 && magic.0 == 0x1f && magic.1 == 0x8b
    var stream: UnsafeMutablePointer<z_stream>?
    if isCompressed {
      let fresh = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      fresh.initialize(to: z_stream())
      // 15 bits of window, plus 16: gzip with its checksum verified.
      let result = inflateInit2_(fresh, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      if result != Z_OK {
        fresh.deallocate()
        close(descriptor)
        throw .file(FileError(.open, path: path, code: ENOMEM))
      }
      stream = fresh
    }
    self.path = path
    self.descriptor = descriptor
    self.isCompressed = isCompressed
    self.stream = stream
    let size = Int(info.st_size)
    sizeBound = isCompressed ? size.multipliedReportingOverflow(by: 1032).partialValue : size
    window = .allocate(byteCount: isCompressed ? Self.windowSize : 0, alignment: 64)
  }

  deinit {
    if let stream {
      inflateEnd(stream)
      stream.deallocate()
    }
    window.deallocate()
    close(descriptor)
  }

  /// Fills `buffer` as far as the file goes and says how many bytes came.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    guard let stream else { return try readPlain(into: buffer) }
    return try inflate(stream, into: buffer)
  }

  /// Fills `buffer` or says that the file is too short.
  mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(DataError) {
    let count = try read(into: buffer)
    if count < buffer.count {
      throw .corrupt(path: path, reason: "it ends \(buffer.count - count) bytes early")
    }
  }

  /// Fails unless everything has been read; also what makes a gzip checksum be verified.
  mutating func finish() throws(DataError) {
    var extra: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &extra) { (buffer) throws(DataError) in
      try read(into: buffer)
    }
    if count > 0 { throw .corrupt(path: path, reason: "bytes follow the end of the data") }
  }

  private func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    var count = 0
    while count < buffer.count {
      let target = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      #if canImport(Glibc)
        let got = Glibc.read(descriptor, target.baseAddress, target.count)
      #else
        let got = Musl.read(descriptor, target.baseAddress, target.count)
      #endif
      if got < 0 && errno == EINTR { continue }
      if got < 0 { throw .file(FileError(.read, path: path, code: errno)) }
      if got == 0 { break }
      count += got
    }
    return count
  }

  private mutating func inflate(
    _ stream: UnsafeMutablePointer<z_stream>, into buffer: UnsafeMutableRawBufferPointer
  ) throws(DataError) -> Int {
    var count = 0
    while count < buffer.count && !ended {
      if stream.pointee.avail_in == 0 {
        let got = try readPlain(into: window)
        stream.pointee.next_in = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(got)
        if got == 0 { throw .corrupt(path: path, reason: "the compressed data breaks off") }
      }
      let room = min(buffer.count - count, 1 << 30)
      stream.pointee.next_out = buffer.baseAddress.map {
        ($0 + count).assumingMemoryBound(to: UInt8.self)
      }
      stream.pointee.avail_out = UInt32(room)
      let result = ItoCCodecs.inflate(stream, Z_NO_FLUSH)
      count += room - Int(stream.pointee.avail_out)
      switch result {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: try startNextMember(stream)
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
        throw .corrupt(path: path, reason: "the compressed data is damaged (\(reason))")
      }
    }
    return count
  }

  /// A gzip file may hold several members, whose contents follow each other.
  private mutating func startNextMember(
    _ stream: UnsafeMutablePointer<z_stream>
  ) throws(DataError) {
    if stream.pointee.avail_in == 0 {
      let got = try readPlain(into: window)
      stream.pointee.next_in = window.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(got)
    }
    ended = stream.pointee.avail_in == 0
    if !ended { inflateReset(stream) }
  }
}
