/// What the JSON reader accepts.
public struct JSONOptions: Sendable, Hashable {
  /// Accept `NaN`, `Infinity` and `-Infinity`, which Python writes and JSON does not have.
  public var allowsNonFinite: Bool
  /// Arrays and objects inside each other at most.
  public var maximumDepth: Int

  /// Strict JSON unless told otherwise.
  public init(allowsNonFinite: Bool = false, maximumDepth: Int = 128) {
    self.allowsNonFinite = allowsNonFinite
    self.maximumDepth = maximumDepth
  }

  /// RFC 8259 and nothing else.
  public static let strict = JSONOptions()
  /// RFC 8259 with the three non-finite numbers Python's `json` writes.
  public static let python = JSONOptions(allowsNonFinite: true)
}

extension JSONValue {
  /// Reads one JSON value that fills `text`.
  ///
  /// Stricter than most readers: a key may appear once in an object, nesting is limited, numbers
  /// must fit a double, escapes must spell valid characters.
  ///
  /// What was read takes at most 1.75 bytes for a byte of the text, usually less than one; while it is read,
  /// at most 3 bytes.
  /// - Throws: `JSONError` with line, column and byte offset.
  public static func parse(
    _ text: String, options: JSONOptions = .strict
  ) throws(JSONError) -> JSONValue {
    var text = text
    return try text.withUTF8 { bytes in
      Result { () throws(JSONError) in try parse(bytes, options: options) }
    }.get()
  }

  /// Reads one JSON value that fills `bytes`, which must be UTF-8.
  public static func parse(
    _ bytes: [UInt8], options: JSONOptions = .strict
  ) throws(JSONError) -> JSONValue {
    try bytes.withUnsafeBufferPointer { (bytes) throws(JSONError) in
      try parse(bytes, options: options)
    }
  }

  /// Reads one JSON value that fills `bytes`, which must be UTF-8.
  public static func parse(
    _ bytes: UnsafeBufferPointer<UInt8>, options: JSONOptions = .strict
  ) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, options: options)
    try parser.document()
    return PackedJSON(bytes: parser.packed, place: 0).value
  }
}

/// A recursive-descent reader over UTF-8 bytes that packs what it reads.
struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  let options: JSONOptions
  var at = 0
  /// What was read.
  var packed: [UInt8] = []
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, options: JSONOptions) {
    self.bytes = bytes
    self.options = options
  }

  /// The byte at the cursor; 0, which no JSON text contains, at the end.
  var current: UInt8 { at < bytes.count ? bytes[at] : 0 }

  mutating func document() throws(JSONError) {
    guard bytes.count <= Int32.max else {
      throw error("it has \(bytes.count) bytes; \(Int32.max) are allowed", at: 0)
    }
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
      throw error("the text begins with a byte-order mark; save it as UTF-8 without one")
    }
    packed.reserveCapacity(mostPacked)
    skipSpace()
    try value()
    skipSpace()
    guard at == bytes.count else { throw error("unexpected \(found) after the value") }
    // What stays has little room to spare, unless it and its copy were together more than three times the text.
    if packed.capacity - packed.count > packed.count / 8,
      packed.count <= bytes.count + bytes.count / 4
    {
      packed = [UInt8](unsafeUninitializedCapacity: packed.count) { out, count in
        count = out.initialize(fromContentsOf: packed)
      }
    }
  }

  /// No text packs to more, so that nothing is moved to grow: what is larger packed than written are long
  /// strings and containers, by less than an eighth, and members of long objects, by 7 bytes each.
  private var mostPacked: Int {
    let colons = bytes.count { $0 == UInt8(ascii: ":") }
    return bytes.count + min(bytes.count / 8 + 7 * colons, bytes.count / 4 * 3) + 16
  }

  private mutating func value() throws(JSONError) {
    switch current {
    case UInt8(ascii: "{"): try nested { (p) throws(JSONError) in try p.object() }
    case UInt8(ascii: "["): try nested { (p) throws(JSONError) in try p.array() }
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t") where take("true"): packed.append(Tag.yes)
    case UInt8(ascii: "f") where take("false"): packed.append(Tag.no)
    case UInt8(ascii: "n") where take("null"): packed.append(Tag.null)
    case UInt8(ascii: "N") where options.allowsNonFinite && take("NaN"):
      packed.append(Tag.notANumber)
    case UInt8(ascii: "I") where options.allowsNonFinite && take("Infinity"):
      packed.append(Tag.infinity)
    default: throw error("expected a value, found \(found)")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard depth < options.maximumDepth else {
      throw error("arrays and objects are nested more than \(options.maximumDepth) deep")
    }
    depth += 1
    defer { depth -= 1 }
    at += 1
    skipSpace()
    try body(&self)
  }

  private mutating func array() throws(JSONError) {
    if skip(UInt8(ascii: "]")) { return packed.append(Tag.emptyArray) }
    let start = beginContainer(Tag.shortArray)
    var count = 0
    while true {
      try value()
      count += 1
      skipSpace()
      if skip(UInt8(ascii: "]")) { return endArray(start, count: count) }
      guard skip(UInt8(ascii: ",")) else {
        throw error("expected ',' or ']' in an array, found \(found)")
      }
      skipSpace()
    }
  }

  private mutating func object() throws(JSONError) {
    if skip(UInt8(ascii: "}")) { return packed.append(Tag.emptyObject) }
    let first = at
    let start = beginContainer(Tag.shortObject)
    var count = 0
    while true {
      try member()
      count += 1
      if skip(UInt8(ascii: "}")) { break }
      guard skip(UInt8(ascii: ",")) else {
        throw error("expected ',' or '}' in an object, found \(found)")
      }
      skipSpace()
    }
    guard let repeated = endObject(start, count: count) else { return }
    // Where that key stands was not kept: the object is read again up to it.
    packed.removeSubrange(start...)
    at = first
    for _ in 0..<repeated {
      try member()
      _ = skip(UInt8(ascii: ","))
      skipSpace()
    }
    let place = at
    let key = packed.count
    try string()
    let text = packed.withUnsafeBytes { PackedJSONReader(bytes: $0).text(at: key) }
    throw error("the key \(quoted(text)) appears twice", at: place)
  }

  /// A key, its value, and the space after it.
  private mutating func member() throws(JSONError) {
    guard current == UInt8(ascii: "\"") else {
      throw error("expected a key in quotes, found \(found)")
    }
    try string()
    skipSpace()
    guard skip(UInt8(ascii: ":")) else { throw error("expected ':' after a key, found \(found)") }
    skipSpace()
    try value()
    skipSpace()
  }

  private mutating func number() throws(JSONError) {
    let start = at
    let isNegative = skip(UInt8(ascii: "-"))
    if isNegative, options.allowsNonFinite, take("Infinity") {
      return packed.append(Tag.minusInfinity)
    }
    if skip(UInt8(ascii: "0")) {
      guard !isDigit(current) else { throw error("a number must not begin with 0", at: start) }
    } else {
      try digits()
    }
    var isInteger = true
    if skip(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      isInteger = false
      if !skip(UInt8(ascii: "-")) { _ = skip(UInt8(ascii: "+")) }
      try digits()
    }
    // -0 is a double: an integer would lose its sign.
    if isInteger, let value = integer(start, isNegative), value != 0 || !isNegative {
      return pack(value)
    }
    let written = UnsafeBufferPointer(rebasing: bytes[start..<at])
    let text = String(decoding: written, as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw error("\(text.prefix(40)) is beyond the range of a 64-bit number", at: start)
    }
    pack(value, written: written)
  }

  /// The integer from `start` to the cursor, or nil when it does not fit.
  private func integer(_ start: Int, _ isNegative: Bool) -> Int64? {
    var value: Int64 = 0
    for byte in bytes[(isNegative ? start + 1 : start)..<at] {
      let digit = Int64(byte - UInt8(ascii: "0"))
      let (tenfold, overflows) = value.multipliedReportingOverflow(by: 10)
      // Counting down reaches the smallest integer, which has no positive counterpart.
      let (sum, exceeds) = tenfold.addingReportingOverflow(isNegative ? -digit : digit)
      if overflows || exceeds { return nil }
      value = sum
    }
    return value
  }

  private mutating func digits() throws(JSONError) {
    guard isDigit(current) else { throw error("expected a digit, found \(found)") }
    while isDigit(current) { at += 1 }
  }
}

// The cursor.
extension JSONParser {
  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at += 1
      default: return
      }
    }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    at += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count - at >= length else { return false }
    for i in 0..<length where bytes[at + i] != word.utf8Start[i] { return false }
    at += length
    return true
  }

  /// What stands at the cursor, for a message.
  var found: String {
    guard at < bytes.count else { return "the end of the text" }
    let byte = bytes[at]
    if byte >= 0x20 && byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
  }

  func error(_ reason: String, at offset: Int? = nil) -> JSONError {
    let offset = offset ?? at
    var line = 1
    var column = 1
    for byte in bytes[..<min(offset, bytes.count)] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return JSONError(reason: reason, line: line, column: column, offset: offset)
  }
}
