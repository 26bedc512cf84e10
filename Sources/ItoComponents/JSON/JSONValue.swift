/// A JSON value (RFC 8259).
///
/// Numbers written without a fraction or an exponent that fit 64 bits are integers and stay apart
/// from doubles, so that `"heads": 8` and `"scale": 8.0` can be told from each other and offsets
/// keep every digit.
public enum JSONValue: Sendable, Hashable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number without fraction and exponent, within 64 bits.
  case integer(Int64)
  /// Any other number; an integer beyond 64 bits is rounded.
  case double(Double)
  /// A string.
  case string(String)
  /// An array.
  case array(JSONArray)
  /// An object; its keys keep their order.
  case object(JSONObject)
}

extension JSONValue {
  /// An array of `elements`.
  public static func array(_ elements: [JSONValue]) -> JSONValue { .array(JSONArray(elements)) }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// The boolean, or nil when this is something else.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The integer, or nil when this is something else (`8.0` is not an integer).
  public var int: Int? {
    if case .integer(let value) = self { Int(exactly: value) } else { nil }
  }

  /// The number, integers included, or nil when this is something else.
  public var double: Double? {
    switch self {
    case .double(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// The string, or nil when this is something else.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The elements, or nil when this is not an array.
  public var array: JSONArray? {
    if case .array(let value) = self { value } else { nil }
  }

  /// The object, or nil when this is something else.
  public var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The value under `key`; nil when this is not an object or has no such key. `null` is returned
  /// as `.null`.
  public subscript(key: String) -> JSONValue? { object?[key] }

  /// The element at `index`; nil when this is not an array or has no such element.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// What this is, in words for an error message: `a string`, `an integer`, …
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// `null`
  public init(nilLiteral: ()) { self = .null }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(JSONArray(elements)) }
  /// An object; of a repeated key the last value counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements))
  }
}
