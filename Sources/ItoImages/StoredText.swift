/// Texts that other programs stored, in strings of their exact size: one that grows takes several times as much.
extension String {
  /// `bytes` as UTF-8, or as Latin-1 where they are not: older programs wrote what their system had.
  init(stored bytes: ArraySlice<UInt8>) {
    self = String(validating: bytes, as: UTF8.self) ?? String(latin1: bytes)
  }

  /// A character for each byte (ISO 8859-1).
  init(latin1 bytes: ArraySlice<UInt8>) {
    self.init(unsafeUninitializedCapacity: Self.size(latin1: bytes)) { out in
      var place = 0
      for byte in bytes {
        if byte < 0x80 {
          out[place] = byte
          place += 1
        } else {
          out[place] = 0xC0 | byte >> 6
          out[place + 1] = 0x80 | byte & 0x3F
          place += 2
        }
      }
      return place
    }
  }

  /// How many bytes of UTF-8 `String(latin1:)` has.
  static func size(latin1 bytes: ArraySlice<UInt8>) -> Int {
    bytes.count + bytes.count { $0 >= 0x80 }
  }

  /// UTF-16; halves of pairs become U+FFFD.
  init(utf16 units: some Sequence<UInt16>) {
    func eachByte(_ body: (UInt8) -> Void) {
      _ = transcode(
        units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: false, into: body)
    }
    var size = 0
    eachByte { _ in size += 1 }
    self.init(unsafeUninitializedCapacity: size) { out in
      var place = 0
      eachByte { byte in
        out[place] = byte
        place += 1
      }
      return place
    }
  }
}
