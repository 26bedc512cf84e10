/// The options given to a component, taken out one by one while it is made.
///
/// A component asks for each option it has, with its default; what nobody asked for is an error.
/// Keys are written in lower case with hyphens; `_` is read as `-`.
///
///     init(options: inout OptionReader) throws(OptionError) {
///       threshold = try options.double("threshold", default: 0.05, in: 0...1)
///     }
///
/// Not `Codable`: a synthesized `init(from:)` ignores both property defaults and unknown keys.
public struct OptionReader: Sendable {
  private var remaining: [String: OptionValue] = [:]
  /// The options asked for so far, for help texts.
  public private(set) var descriptions: [OptionDescription] = []

  /// A reader of `values`.
  public init(_ values: [String: OptionValue] = [:]) {
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      let canonical = String(key.map { $0 == "_" ? "-" : $0 })
      // The second spelling of a key stays under its own name, so that `finish` reports it.
      remaining[remaining[canonical] == nil ? canonical : key] = value
    }
  }

  /// Fails if an option was given that nobody asked for.
  public func finish() throws(OptionError) {
    guard !remaining.isEmpty else { return }
    throw .unknownKeys(remaining.keys.sorted(), known: descriptions.map(\.key))
  }

  private mutating func take(_ key: String, _ type: String, _ fallback: String?) -> OptionValue? {
    descriptions.append(OptionDescription(key: key, type: type, fallback: fallback))
    return remaining.removeValue(forKey: key)
  }
}

/// One option of a component, as help texts show it.
public struct OptionDescription: Sendable, Hashable {
  /// The key.
  public var key: String
  /// What it takes: `number`, `integer 1...4`, `midpoint | heun`, …
  public var type: String
  /// The value when it is not given; nil when it then has none.
  public var fallback: String?
}

extension OptionReader {
  /// A finite number.
  public mutating func double(
    _ key: String, default fallback: Double, in range: ClosedRange<Double>? = nil
  ) throws(OptionError) -> Double {
    try number(key, "\(fallback)", range) ?? fallback
  }

  /// A finite number, or nil when the option is not given.
  public mutating func double(
    _ key: String, in range: ClosedRange<Double>? = nil
  ) throws(OptionError) -> Double? {
    try number(key, nil, range)
  }

  /// A whole number.
  public mutating func int(
    _ key: String, default fallback: Int, in range: ClosedRange<Int>? = nil
  ) throws(OptionError) -> Int {
    try integer(key, "\(fallback)", range) ?? fallback
  }

  /// A whole number, or nil when the option is not given.
  public mutating func int(
    _ key: String, in range: ClosedRange<Int>? = nil
  ) throws(OptionError) -> Int? {
    try integer(key, nil, range)
  }

  /// A boolean.
  public mutating func bool(
    _ key: String, default fallback: Bool
  ) throws(OptionError) -> Bool {
    switch take(key, "true | false", "\(fallback)") {
    case nil: return fallback
    case .bool(let value)?: return value
    case let other?: throw .wrongType(key: key, expected: "true or false", found: other.kind)
    }
  }

  /// Text.
  public mutating func string(
    _ key: String, default fallback: String
  ) throws(OptionError) -> String {
    try text(key, "text", fallback) ?? fallback
  }

  /// Text, or nil when the option is not given.
  public mutating func string(_ key: String) throws(OptionError) -> String? {
    try text(key, "text", nil)
  }

  /// One of the cases of `Choice`, by raw value.
  public mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, default fallback: Choice
  ) throws(OptionError) -> Choice {
    let all = Choice.allCases.map(\.rawValue)
    let type = all.joined(separator: " | ")
    guard let given = try text(key, type, fallback.rawValue) else { return fallback }
    let wanted = canonicalName(given)
    for choice in Choice.allCases where canonicalName(choice.rawValue) == wanted { return choice }
    throw .invalidValue(key: key, value: "'\(given)'", allowed: all.joined(separator: ", "))
  }

  /// Finite numbers, or nil when the option is not given. One number is a list of one.
  public mutating func doubles(_ key: String) throws(OptionError) -> [Double]? {
    guard let given = take(key, "list of numbers", nil) else { return nil }
    let items: [OptionValue] = if case .list(let items) = given { items } else { [given] }
    var numbers: [Double] = []
    for item in items {
      switch item {
      case .int(let value): numbers.append(Double(value))
      case .double(let value) where value.isFinite: numbers.append(value)
      default: throw .wrongType(key: key, expected: "a list of numbers", found: item.kind)
      }
    }
    return numbers
  }

  /// Texts, or nil when the option is not given. One text is a list of one.
  public mutating func strings(_ key: String) throws(OptionError) -> [String]? {
    guard let given = take(key, "list of texts", nil) else { return nil }
    let items: [OptionValue] = if case .list(let items) = given { items } else { [given] }
    var texts: [String] = []
    for item in items {
      switch item {
      case .string(let value): texts.append(value)
      // A name made of digits looks like a number.
      case .int(let value): texts.append("\(value)")
      default: throw .wrongType(key: key, expected: "a list of texts", found: item.kind)
      }
    }
    return texts
  }

  private mutating func number(
    _ key: String, _ fallback: String?, _ range: ClosedRange<Double>?
  ) throws(OptionError) -> Double? {
    let type = "number" + (range.map { " \($0)" } ?? "")
    let value: Double
    switch take(key, type, fallback) {
    case nil: return nil
    case .double(let given)?: value = given
    case .int(let given)?: value = Double(given)
    case let other?: throw .wrongType(key: key, expected: "a number", found: other.kind)
    }
    guard value.isFinite else {
      throw .invalidValue(key: key, value: "\(value)", allowed: "finite numbers")
    }
    if let range, !range.contains(value) {
      throw .invalidValue(key: key, value: "\(value)", allowed: "\(range)")
    }
    return value
  }

  private mutating func integer(
    _ key: String, _ fallback: String?, _ range: ClosedRange<Int>?
  ) throws(OptionError) -> Int? {
    let type = "integer" + (range.map { " \($0)" } ?? "")
    let value: Int
    switch take(key, type, fallback) {
    case nil: return nil
    case .int(let given)?: value = given
    case .double(let given)?:
      guard let exact = Int(exactly: given) else {
        throw .wrongType(key: key, expected: "an integer", found: "\(given)")
      }
      value = exact
    case let other?: throw .wrongType(key: key, expected: "an integer", found: other.kind)
    }
    if let range, !range.contains(value) {
      throw .invalidValue(key: key, value: "\(value)", allowed: "\(range)")
    }
    return value
  }

  private mutating func text(
    _ key: String, _ type: String, _ fallback: String?
  ) throws(OptionError) -> String? {
    switch take(key, type, fallback) {
    case nil: return nil
    case .string(let value)?: return value
    // A name made of digits looks like a number on a command line.
    case .int(let value)?: return "\(value)"
    case let other?: throw .wrongType(key: key, expected: "text", found: other.kind)
    }
  }
}

extension OptionReader: ExpressibleByDictionaryLiteral {
  /// A reader of the given options.
  public init(dictionaryLiteral elements: (String, OptionValue)...) {
    self.init(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
}
