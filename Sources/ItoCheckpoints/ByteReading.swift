extension UnsafeRawBufferPointer {
  /// The little-endian integer at `offset`; nil when it does not lie within the bytes.
  func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, at offset: Int) -> T? {
    guard offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
    return T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The `length` bytes at `offset`; nil when they do not lie within the bytes.
  func slice(at offset: Int, length: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[offset..<(offset + length)])
  }
}

extension String {
  /// The text of UTF-8 bytes; nil when they are not valid.
  init?(validating bytes: UnsafeRawBufferPointer) { self.init(validating: bytes, as: UTF8.self) }
}
