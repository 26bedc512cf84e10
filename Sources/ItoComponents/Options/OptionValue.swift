/// The value of one option, as a command line, a YAML file or a request states it.
public enum OptionValue: Sendable, Hashable {
  /// A whole number.
  case int(Int)
  /// Any other number.
  case double(Double)
  /// `true` or `false`.
  case bool(Bool)
  /// Text.
  case string(String)
  /// Several values.
  case list([OptionValue])

  /// What this is, in words for an error message: `a string`, `an integer`, …
  public var kind: String {
    switch self {
    case .int: "an integer"
    case .double: "a number"
    case .bool: "a boolean"
    case .string: "a string"
    case .list: "a list"
    }
  }
}

extension OptionValue {
  /// The value that a word on a command line stands for: `true`, `3`, `0.5`, `[999, 500]`, else text.
  ///
  /// Text in single or double quotes is text, whatever it looks like.
  public init(word: String) {
    let word = word.trimmingSpaces()
    if let quote = word.first, quote == "'" || quote == "\"", word.count > 1, word.last == quote {
      self = .string(String(word.dropFirst().dropLast()))
    } else if word.hasPrefix("["), word.hasSuffix("]") {
      let inside = String(word.dropFirst().dropLast())
      let parts = inside.trimmingSpaces().isEmpty ? [] : inside.splitAtTopLevel(",")
      self = .list(parts.map { OptionValue(word: $0) })
    } else if let value = Int(word) {
      self = .int(value)
    } else if let value = Double(word), value.isFinite {
      self = .double(value)
    } else {
      switch word {
      case "true", "yes", "on": self = .bool(true)
      case "false", "no", "off": self = .bool(false)
      default: self = .string(word)
      }
    }
  }

  /// The option that a JSON value stands for; nil for `null` and for objects, which are none.
  public init?(_ json: JSONValue) {
    switch json {
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .int(Int(value))
    case .double(let value): self = .double(value)
    case .string(let value): self = .string(value)
    case .array(let values):
      var items: [OptionValue] = []
      for value in values {
        guard let item = OptionValue(value) else { return nil }
        items.append(item)
      }
      self = .list(items)
    case .null, .object: return nil
    }
  }
}

extension OptionValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  /// A whole number.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// Text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// Several values.
  public init(arrayLiteral elements: OptionValue...) { self = .list(elements) }
}

extension OptionValue: CustomStringConvertible {
  /// The value as a command line would state it; `OptionValue(word:)` reads it back.
  public var description: String {
    switch self {
    case .int(let value): return "\(value)"
    case .double(let value): return "\(value)"
    case .bool(let value): return "\(value)"
    case .list(let values): return "[" + values.map(\.description).joined(separator: ",") + "]"
    case .string(let value):
      let needsQuotes = OptionValue(word: value) != self || value.contains { ",=[]:".contains($0) }
      return needsQuotes ? (value.contains("'") ? "\"\(value)\"" : "'\(value)'") : value
    }
  }
}

extension String {
  func trimmingSpaces() -> String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }

  /// The parts between `separator`s that are outside quotes and brackets.
  func splitAtTopLevel(_ separator: Character) -> [String] {
    var parts: [String] = [""]
    var quote: Character?
    var depth = 0
    for character in self {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if character == "[" {
        depth += 1
      } else if character == "]" {
        depth -= 1
      } else if character == separator && depth == 0 {
        parts.append("")
        continue
      }
      parts[parts.count - 1].append(character)
    }
    return parts
  }
}
