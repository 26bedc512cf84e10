/// How JSON is written.
public struct JSONStyle: Sendable, Hashable {
  /// One member or element a line, two spaces deeper each level. Otherwise no spaces at all.
  public var isPretty: Bool
  /// Keys by their UTF-8 bytes instead of in the object's own order.
  public var sortsKeys: Bool
  /// Non-finite numbers as `NaN`, `Infinity` and `-Infinity`, as Python does. Otherwise `null`,
  /// since JSON has no way to write them.
  public var writesNonFinite: Bool

  /// Compact, in the object's order, unless told otherwise.
  public init(isPretty: Bool = false, sortsKeys: Bool = false, writesNonFinite: Bool = false) {
    self.isPretty = isPretty
    self.sortsKeys = sortsKeys
    self.writesNonFinite = writesNonFinite
  }

  /// No spaces, the object's own order.
  public static let compact = JSONStyle()
  /// Indented, the object's own order.
  public static let pretty = JSONStyle(isPretty: true)
  /// Indented, keys sorted: the same value always gives the same text.
  public static let sorted = JSONStyle(isPretty: true, sortsKeys: true)
}

extension JSONValue: CustomStringConvertible {
  /// The value as JSON text, without a final line break. Doubles are written with the fewest digits
  /// that read back as the same double.
  public func text(_ style: JSONStyle = .compact) -> String {
    var writer = JSONWriter(style: style)
    writer.write(self, indent: 0)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// The value as UTF-8 JSON, without a final line break.
  public func utf8(_ style: JSONStyle = .compact) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.write(self, indent: 0)
    return writer.bytes
  }

  /// Compact JSON.
  public var description: String { text() }

  /// The beginning of its compact JSON, for a message: a file may hold anything.
  public var brief: String {
    var writer = JSONWriter(style: .compact, limit: 200)
    writer.write(self, indent: 0)
    let isWhole = writer.bytes.count <= 200
    return String(decoding: writer.bytes.prefix(200), as: UTF8.self) + (isWhole ? "" : "…")
  }
}

/// The beginning of `text` in quotes, for a message: a file may hold anything.
public func quoted(_ text: some StringProtocol) -> String {
  var beginning = String.UnicodeScalarView()
  beginning.append(contentsOf: text.unicodeScalars.prefix(200))
  let isWhole = text.unicodeScalars.dropFirst(200).isEmpty
  return String(beginning).debugDescription + (isWhole ? "" : "…")
}

private struct JSONWriter {
  let style: JSONStyle
  /// Not much more than so many bytes are written.
  let limit: Int
  var bytes: [UInt8] = []

  init(style: JSONStyle, limit: Int = .max) {
    self.style = style
    self.limit = limit
  }

  mutating func write(_ value: JSONValue, indent: Int) {
    switch value {
    case .null: put("null")
    case .bool(let flag): put(flag ? "true" : "false")
    case .integer(let number): put(String(number))
    case .double(let number): write(number)
    case .string(let text): write(text)
    case .array(let elements):
      list("[", "]", elements, indent) { writer, element in
        writer.write(element, indent: indent + 1)
      }
    case .object(let object):
      if style.sortsKeys {
        let sorted = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        list("{", "}", sorted, indent) { $0.write($1, indent) }
      } else {
        list("{", "}", object, indent) { $0.write($1, indent) }
      }
    }
  }

  private mutating func write(_ member: (key: String, value: JSONValue), _ indent: Int) {
    write(member.key)
    put(style.isPretty ? ": " : ":")
    write(member.value, indent: indent + 1)
  }

  private mutating func list<Items: Collection>(
    _ open: String, _ close: String, _ items: Items, _ indent: Int,
    _ writeItem: (inout JSONWriter, Items.Element) -> Void
  ) {
    put(open)
    for (i, item) in items.enumerated() {
      if bytes.count > limit { return }
      if i > 0 { put(",") }
      lineBreak(indent + 1)
      writeItem(&self, item)
    }
    if !items.isEmpty { lineBreak(indent) }
    put(close)
  }

  private mutating func lineBreak(_ indent: Int) {
    guard style.isPretty else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: 2 * indent))
  }

  private mutating func write(_ number: Double) {
    if number.isFinite {
      put(number.description)
    } else if !style.writesNonFinite {
      put("null")
    } else {
      put(number.isNaN ? "NaN" : number > 0 ? "Infinity" : "-Infinity")
    }
  }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      if bytes.count > limit { return }
      switch byte {
      case UInt8(ascii: "\""): put("\\\"")
      case UInt8(ascii: "\\"): put("\\\\")
      case 0x08: put("\\b")
      case 0x09: put("\\t")
      case 0x0A: put("\\n")
      case 0x0C: put("\\f")
      case 0x0D: put("\\r")
      case 0..<0x20:
        put(byte < 0x10 ? "\\u000" : "\\u00")
        put(String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
