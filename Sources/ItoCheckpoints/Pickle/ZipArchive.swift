/// Where the entries of a zip archive lie, for archives whose entries are stored as they are.
///
/// PyTorch writes such archives, so that tensors can be mapped. Nothing is unpacked: compressed
/// entries are refused, which leaves no room for archives that swell. Names are only compared,
/// never used as paths.
///
/// - Source: PKWARE, *.ZIP File Format Specification* 6.3.10, sections 4.3.7 to 4.3.16.
struct ZipArchive: Sendable {
  /// The bytes of each entry, as a range of the archive's.
  private(set) var entries: [String: Range<Int>] = [:]
  /// The most that reading the entries takes, with the table's old and new place while it grows.
  var size: Int { entries.keys.reduce(0) { $0 + 176 + $1.utf8.count } }

  /// Reads the directory of the archive that `bytes` are.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    do throws(ZipFault) {
      let directory = try Self.directory(of: bytes)
      var offset = directory.lowerBound
      while offset < directory.upperBound {
        let entry = try ZipEntry(bytes, at: offset)
        offset = entry.end
        guard entry.end <= directory.upperBound else {
          throw ZipFault.broken("its directory is cut short")
        }
        let range = try entry.contents(in: bytes)
        guard entries.updateValue(range, forKey: entry.name) == nil else {
          throw ZipFault.broken("its directory has \(entry.name.debugDescription) twice")
        }
      }
    } catch {
      switch error {
      case .broken(let reason): throw .corrupt(file: file, reason: reason)
      case .unusual(let reason): throw .unsupported(file: file, reason: reason)
      }
    }
  }

  /// Where the central directory is, from the record at the archive's end.
  private static func directory(
    of bytes: UnsafeRawBufferPointer
  ) throws(ZipFault) -> Range<Int> {
    // The record is 22 bytes long and a comment of up to 65535 may follow.
    var end = bytes.count - 22
    let first = max(0, end - 65535)
    while end >= first {
      if bytes.integer(UInt32.self, at: end) == 0x0605_4B50,
        let comment = bytes.integer(UInt16.self, at: end + 20),
        end + 22 + Int(comment) == bytes.count
      {
        break
      }
      end -= 1
    }
    guard end >= first, let size = bytes.integer(UInt32.self, at: end + 12),
      let start = bytes.integer(UInt32.self, at: end + 16)
    else { throw .broken("it has no zip directory, so it was not written or copied to its end") }
    var range = (start: UInt64(start), size: UInt64(size))
    if start == .max || size == .max, bytes.integer(UInt32.self, at: end - 20) == 0x0706_4B50 {
      // The 64-bit record, which the locator before this one points to.
      guard let place = bytes.integer(UInt64.self, at: end - 12), place < UInt64(bytes.count),
        bytes.integer(UInt32.self, at: Int(place)) == 0x0606_4B50,
        let size = bytes.integer(UInt64.self, at: Int(place) + 40),
        let start = bytes.integer(UInt64.self, at: Int(place) + 48)
      else { throw .broken("its 64-bit zip directory is not where it should be") }
      range = (start, size)
    }
    guard range.start <= UInt64(end), range.size <= UInt64(end) - range.start else {
      throw .broken("its zip directory does not lie within the file")
    }
    return Int(range.start)..<Int(range.start + range.size)
  }
}

/// What is wrong with an archive.
enum ZipFault: Error {
  /// Rules are broken.
  case broken(String)
  /// It uses what is not read.
  case unusual(String)
}

/// One entry of the central directory.
private struct ZipEntry {
  var name: String
  /// Where the next one begins.
  var end: Int
  var size: UInt64
  var header: UInt64

  init(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(ZipFault) {
    guard bytes.integer(UInt32.self, at: offset) == 0x0201_4B50,
      let flags = bytes.integer(UInt16.self, at: offset + 8),
      let method = bytes.integer(UInt16.self, at: offset + 10),
      let packed = bytes.integer(UInt32.self, at: offset + 20),
      let size = bytes.integer(UInt32.self, at: offset + 24),
      let nameLength = bytes.integer(UInt16.self, at: offset + 28),
      let extraLength = bytes.integer(UInt16.self, at: offset + 30),
      let commentLength = bytes.integer(UInt16.self, at: offset + 32),
      let header = bytes.integer(UInt32.self, at: offset + 42),
      let nameBytes = bytes.slice(at: offset + 46, length: Int(nameLength)),
      let extra = bytes.slice(at: offset + 46 + Int(nameLength), length: Int(extraLength))
    else { throw .broken("its zip directory is damaged at byte \(offset)") }
    guard let name = String(validating: nameBytes) else {
      throw .broken("its zip directory has a name that is not UTF-8 at byte \(offset)")
    }
    guard flags & 1 == 0 else { throw .unusual("its parts are encrypted") }
    guard method == 0 else {
      throw .unusual(
        "its part \(name.debugDescription) is compressed, which PyTorch does not write; unpack it "
          + "and save it again with torch.save")
    }
    self.name = name
    end = offset + 46 + Int(nameLength) + Int(extraLength) + Int(commentLength)
    self.size = UInt64(size)
    self.header = UInt64(header)
    if size == .max || packed == .max || header == .max {
      try readWide(extra, hasSize: size == .max, packed == .max, header == .max)
    }
  }

  /// Takes the 64-bit sizes that stand in for the fields of the same order.
  private mutating func readWide(
    _ extra: UnsafeRawBufferPointer, hasSize: Bool, _ hasPacked: Bool, _ hasHeader: Bool
  ) throws(ZipFault) {
    var offset = 0
    while let id = extra.integer(UInt16.self, at: offset),
      let length = extra.integer(UInt16.self, at: offset + 2)
    {
      if id == 1, let fields = extra.slice(at: offset + 4, length: Int(length)) {
        var next = 0
        func field() throws(ZipFault) -> UInt64 {
          guard let value = fields.integer(UInt64.self, at: next) else {
            throw .broken("its part \(name.debugDescription) lacks its 64-bit size")
          }
          next += 8
          return value
        }
        if hasSize { size = try field() }
        if hasPacked { _ = try field() }
        if hasHeader { header = try field() }
        return
      }
      offset += 4 + Int(length)
    }
    throw .broken("its part \(name.debugDescription) lacks its 64-bit size")
  }

  /// Where the contents are, which the entry's own header says.
  func contents(in bytes: UnsafeRawBufferPointer) throws(ZipFault) -> Range<Int> {
    guard header < UInt64(bytes.count), let at = Int(exactly: header),
      bytes.integer(UInt32.self, at: at) == 0x0403_4B50,
      let nameLength = bytes.integer(UInt16.self, at: at + 26),
      let extraLength = bytes.integer(UInt16.self, at: at + 28),
      let own = bytes.slice(at: at + 30, length: Int(nameLength))
    else {
      throw .broken("its part \(name.debugDescription) is not where the directory says")
    }
    guard own.elementsEqual(name.utf8) else {
      throw .broken("its part \(name.debugDescription) has another name in its own header")
    }
    let start = at + 30 + Int(nameLength) + Int(extraLength)
    guard start <= bytes.count, size <= UInt64(bytes.count - start) else {
      throw .broken("its part \(name.debugDescription) does not lie within the file")
    }
    return start..<(start + Int(size))
  }
}
