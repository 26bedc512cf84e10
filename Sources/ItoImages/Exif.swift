/// The few Exif fields pictures are read and written with.
///
/// A block is a TIFF file of tags (Exif 2.32, CIPA DC-008, §4.6).
struct Exif: Sendable, Hashable {
  /// How the camera was held, 1…8.
  var orientation: Int?
  /// Free text; generation parameters in practice.
  var userComment: String?
  /// The program that made the picture.
  var software: String?

  /// Bytes of the program's name that are read.
  private static let longestSoftware = 4096

  private enum Tag {
    static let orientation = 0x0112
    static let software = 0x0131
    static let exifDirectory = 0x8769
    static let userComment = 0x9286
    static let known: Set = [orientation, software, exifDirectory, userComment]
  }

  private enum Kind {
    static let ascii = 2
    static let short = 3
    static let long = 4
    static let undefined = 7
  }

  init(orientation: Int? = nil, userComment: String? = nil, software: String? = nil) {
    self.orientation = orientation
    self.userComment = userComment
    self.software = software
  }

  /// The Exif block of a picture file, nil when it has none that can be read.
  init?(in bytes: [UInt8], format: ImageFormat) {
    let block: ArraySlice<UInt8>? =
      switch format {
      case .png: PNGChunks.exif(in: bytes)
      case .jpeg: JPEGSegments.exif(in: bytes)
      case .webp: WebPChunks.exif(in: bytes)
      }
    guard let block else { return nil }
    self.init(tiff: block)
  }

  /// Parses a TIFF block; fields that do not make sense are left out.
  init?(tiff block: ArraySlice<UInt8>) {
    let isBigEndian: Bool
    if block.starts(with: [0x4D, 0x4D, 0, 42]) {
      isBigEndian = true
    } else if block.starts(with: [0x49, 0x49, 42, 0]) {
      isBigEndian = false
    } else {
      return nil
    }
    let reader = ByteReader(block, isBigEndian: isBigEndian)
    guard let first = reader.uint32(4) else { return nil }
    let main = Self.directory(reader, at: first)
    if let field = main[Tag.orientation], field.kind == Kind.short,
      let value = reader.uint16(field.valueOffset), 1...8 ~= value
    {
      orientation = value
    }
    if let field = main[Tag.software], field.kind == Kind.ascii, let text = field.data(reader, 1) {
      software = String(stored: text.prefix(Self.longestSoftware).prefix { $0 != 0 })
    }
    if let field = main[Tag.exifDirectory], let offset = reader.uint32(field.valueOffset),
      let comment = Self.directory(reader, at: offset)[Tag.userComment],
      let data = comment.data(reader, 1)
    {
      userComment = Self.decodeComment(data, isBigEndian: isBigEndian)
    }
  }

  private struct Field {
    var kind: Int
    var count: Int
    /// Where the value, or its offset when it has more than four bytes, is stored.
    var valueOffset: Int

    func data(_ reader: ByteReader, _ size: Int) -> ArraySlice<UInt8>? {
      if count * size <= 4 { return reader.slice(valueOffset, count * size) }
      guard let offset = reader.uint32(valueOffset) else { return nil }
      return reader.slice(offset, count * size)
    }
  }

  /// The fields of the directory at `offset` by tag.
  private static func directory(_ reader: ByteReader, at offset: Int) -> [Int: Field] {
    guard let count = reader.uint16(offset) else { return [:] }
    var fields: [Int: Field] = [:]
    for i in 0..<count {
      let entry = offset + 2 + 12 * i
      guard let tag = reader.uint16(entry), let kind = reader.uint16(entry + 2),
        let length = reader.uint32(entry + 4)
      else { break }
      guard Tag.known.contains(tag) else { continue }
      fields[tag] = Field(kind: kind, count: length, valueOffset: entry + 8)
    }
    return fields
  }
}

// MARK: User comment

extension Exif {
  // Eight bytes name the character set; `UNICODE` is UTF-16.
  private static let unicodePrefix: [UInt8] = Array("UNICODE".utf8) + [0]
  private static let asciiPrefix: [UInt8] = Array("ASCII".utf8) + [0, 0, 0]

  private static func decodeComment(_ data: ArraySlice<UInt8>, isBigEndian: Bool) -> String? {
    let text = data.dropFirst(8)
    if data.starts(with: unicodePrefix) { return decodeUTF16(text, isBigEndian: isBigEndian) }
    if data.starts(with: asciiPrefix) || data.prefix(8).allSatisfy({ $0 == 0 }) {
      return String(stored: text.prefix { $0 != 0 })
    }
    return String(stored: data.prefix { $0 != 0 })
  }

  /// UTF-16 in the order of its byte order mark; without one, in the order that makes it look like
  /// text, because programs disagree on whether the TIFF block's order holds here.
  private static func decodeUTF16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
    let first = bytes.startIndex
    let pairs = 0..<bytes.count / 2
    var order = isBigEndian
    let zerosFirst = pairs.count { bytes[first + 2 * $0] == 0 }
    let zerosSecond = pairs.count { bytes[first + 2 * $0 + 1] == 0 }
    if zerosFirst != zerosSecond { order = zerosFirst > zerosSecond }
    if bytes.starts(with: [0xFE, 0xFF]) { order = true }
    if bytes.starts(with: [0xFF, 0xFE]) { order = false }
    func unit(_ number: Int) -> UInt16 {
      let unit = UInt16(bytes[first + 2 * number]) << 8 | UInt16(bytes[first + 2 * number + 1])
      return order ? unit : unit.byteSwapped
    }
    let start = pairs.isEmpty || unit(0) != 0xFEFF ? 0 : 1
    let end = pairs.last { unit($0) != 0 } ?? -1
    return String(utf16: (start..<max(start, end + 1)).lazy.map(unit))
  }

  /// The block as big-endian TIFF, the order in which other programs expect the comment.
  func encoded() -> [UInt8] {
    var comment: [UInt8] = []
    if let userComment {
      comment = Self.unicodePrefix
      for unit in userComment.utf16 { comment += .bigEndian(Int(unit), 2) }
    }
    let program: [UInt8] = software.map { Array($0.utf8) + [0] } ?? []

    func entry(_ tag: Int, _ kind: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
      .bigEndian(tag, 2) + .bigEndian(kind, 2) + .bigEndian(count, 4)
        + value + [UInt8](repeating: 0, count: 4 - value.count)
    }
    let entryCount =
      (orientation == nil ? 0 : 1) + (program.isEmpty ? 0 : 1)
      + (comment.isEmpty ? 0 : 1)
    let programOffset = 8 + 2 + 12 * entryCount + 4
    // Offsets are even, as TIFF asks for.
    let programSize = program.count > 4 ? (program.count + 1) / 2 * 2 : 0
    let exifOffset = programOffset + programSize
    var out: [UInt8] = [0x4D, 0x4D, 0, 42] + .bigEndian(8, 4) + .bigEndian(entryCount, 2)
    if let orientation { out += entry(Tag.orientation, Kind.short, 1, .bigEndian(orientation, 2)) }
    if !program.isEmpty {
      let value = programSize > 0 ? .bigEndian(programOffset, 4) : program
      out += entry(Tag.software, Kind.ascii, program.count, value)
    }
    if !comment.isEmpty { out += entry(Tag.exifDirectory, Kind.long, 1, .bigEndian(exifOffset, 4)) }
    out += .bigEndian(0, 4)
    if programSize > 0 {
      out += program + [UInt8](repeating: 0, count: programSize - program.count)
    }
    if !comment.isEmpty {
      out += .bigEndian(1, 2)
      out += entry(Tag.userComment, Kind.undefined, comment.count, .bigEndian(exifOffset + 18, 4))
      out += .bigEndian(0, 4) + comment
    }
    return out
  }
}
