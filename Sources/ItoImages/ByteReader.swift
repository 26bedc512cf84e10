/// Numbers out of bytes, every access checked.
struct ByteReader {
  let bytes: ArraySlice<UInt8>
  var isBigEndian = true

  var count: Int { bytes.count }

  init(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool = true) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  /// The bytes from `offset`, counted from the reader's first; nil when they are not all there.
  func slice(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
    let start = bytes.startIndex + offset
    return bytes[start..<start + length]
  }

  func uint16(_ offset: Int) -> Int? { number(offset, 2) }
  func uint32(_ offset: Int) -> Int? { number(offset, 4) }

  private func number(_ offset: Int, _ length: Int) -> Int? {
    guard let part = slice(offset, length) else { return nil }
    let ordered = isBigEndian ? Array(part) : part.reversed()
    return ordered.reduce(0) { $0 << 8 | Int($1) }
  }
}

extension [UInt8] {
  /// The `length` low bytes of `value`, most significant first.
  static func bigEndian(_ value: Int, _ length: Int) -> [UInt8] {
    (0..<length).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// The `length` low bytes of `value`, least significant first.
  static func littleEndian(_ value: Int, _ length: Int) -> [UInt8] {
    bigEndian(value, length).reversed()
  }
}
