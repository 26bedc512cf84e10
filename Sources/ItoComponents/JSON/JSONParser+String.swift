extension JSONParser {
  /// Reads a string from its opening quote to past its closing one.
  mutating func string() throws(JSONError) {
    let open = at
    at += 1
    let start = at
    // Most strings have no escape and are copied in one piece.
    while true {
      guard at < bytes.count else { throw error("the string has no closing quote", at: open) }
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        at += 1
        return pack(text: UnsafeBufferPointer(rebasing: bytes[start..<(at - 1)]))
      }
      if byte == UInt8(ascii: "\\") { break }
      try character()
    }
    let tag = packed.count
    packed.append(PackedJSON.Tag.string)
    packed.append(contentsOf: bytes[start..<at])
    while true {
      guard at < bytes.count else { throw error("the string has no closing quote", at: open) }
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        at += 1
        return endText(tag)
      }
      if byte == UInt8(ascii: "\\") {
        try escape()
      } else {
        let first = at
        try character()
        packed.append(contentsOf: bytes[first..<at])
      }
    }
  }

  /// Passes one character that stands for itself.
  private mutating func character() throws(JSONError) {
    let byte = bytes[at]
    guard byte >= 0x20 else {
      throw error("a string contains the control character \(found); write it as an escape")
    }
    if byte < 0x80 {
      at += 1
    } else {
      guard let length = wellFormedLength() else { throw error("\(found) is not valid UTF-8 here") }
      at += length
    }
  }

  /// The length of the multi-byte UTF-8 sequence at the cursor, or nil when it is ill-formed
  /// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
  private func wellFormedLength() -> Int? {
    let first = bytes[at]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard bytes.count - at >= length, second.contains(bytes[at + 1]) else { return nil }
    for i in 2..<max(2, length) where bytes[at + i] & 0xC0 != 0x80 { return nil }
    return length
  }

  private mutating func escape() throws(JSONError) {
    let start = at
    at += 1
    let kind = current
    at += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): packed.append(kind)
    case UInt8(ascii: "b"): packed.append(0x08)
    case UInt8(ascii: "f"): packed.append(0x0C)
    case UInt8(ascii: "n"): packed.append(0x0A)
    case UInt8(ascii: "r"): packed.append(0x0D)
    case UInt8(ascii: "t"): packed.append(0x09)
    case UInt8(ascii: "u"): packed.append(contentsOf: String(try codePoint(start)).utf8)
    default: throw error("'\\' must be followed by one of \" \\ / b f n r t u", at: start)
    }
  }

  /// The character spelled by `\uXXXX`, or by two of them that form a surrogate pair.
  private mutating func codePoint(_ start: Int) throws(JSONError) -> Character {
    let high = try hexadecimal(start)
    if let scalar = UnicodeScalar(high) { return Character(scalar) }
    guard high < 0xDC00, current == UInt8(ascii: "\\") else {
      throw error("\\u escape is half of a surrogate pair", at: start)
    }
    at += 1
    guard current == UInt8(ascii: "u") else {
      throw error("\\u escape is half of a surrogate pair", at: start)
    }
    at += 1
    let low = try hexadecimal(start)
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = UnicodeScalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    else { throw error("\\u escape is half of a surrogate pair", at: start) }
    return Character(scalar)
  }

  private mutating func hexadecimal(_ start: Int) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch current {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = current - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = current - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = current - UInt8(ascii: "A") + 10
      default: throw error("\\u must be followed by four hexadecimal digits", at: start)
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
