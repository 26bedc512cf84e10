public import ItoComponents

/// Reads a model's `config.json`, and knows afterwards which settings nobody looked at.
///
/// A setting that a network does not implement must not be passed over in silence: every key is read,
/// declared irrelevant, or an error when `finish` finds it with a value that would matter.
public struct ModelConfiguration: Sendable {
  /// The class named by `_class_name`, for messages.
  public let model: String
  private let values: JSONObject
  private var seen: Set<String> = []

  /// The settings in the object `json`.
  public init(_ json: JSONValue, model: String) throws(ModelError) {
    guard let object = json.object else {
      throw .invalid(
        model: model, key: "(whole configuration)", value: "no object", expected: "a JSON object")
    }
    self.model = model
    values = object
  }

  private mutating func value(_ key: String) -> JSONValue? {
    seen.insert(key)
    guard let found = values[key], found != .null else { return nil }
    return found
  }

  /// The value of `key` as it is, nil when absent or null.
  mutating func json(_ key: String) -> JSONValue? { value(key) }

  /// Whether `key` is there and null, where that differs from its absence.
  mutating func isNull(_ key: String) -> Bool {
    seen.insert(key)
    return values[key] == .null
  }

  /// The error of `key` not being what it must be.
  func wrong(_ key: String, _ expected: String) -> ModelError {
    .invalid(
      model: model, key: key, value: values[key].map(\.brief) ?? "missing", expected: expected)
  }

  /// An integer of at least `minimum`; `fallback` when absent or null.
  public mutating func int(
    _ key: String, default fallback: Int? = nil, minimum: Int = 1
  ) throws(ModelError) -> Int {
    guard let found = value(key) else {
      guard let fallback else { throw .missing(model: model, key: key) }
      return fallback
    }
    guard let number = found.int, number >= minimum, number <= 1 << 24 else {
      throw wrong(key, "an integer from \(minimum) to \(1 << 24)")
    }
    return number
  }

  /// An integer, nil when absent or null.
  public mutating func optionalInt(_ key: String, minimum: Int = 1) throws(ModelError) -> Int? {
    guard value(key) != nil else { return nil }
    return try int(key, minimum: minimum)
  }

  /// A finite number.
  public mutating func double(_ key: String, default fallback: Double) throws(ModelError) -> Double
  {
    guard let found = value(key) else { return fallback }
    guard let number = found.double, number.isFinite else { throw wrong(key, "a number") }
    return number
  }

  /// True or false.
  public mutating func bool(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    guard let found = value(key) else { return fallback }
    guard let flag = found.bool else { throw wrong(key, "true or false") }
    return flag
  }

  /// One of `allowed`.
  public mutating func choice(
    _ key: String, of allowed: [String], default fallback: String
  ) throws(ModelError) -> String {
    guard let found = value(key) else { return fallback }
    guard let text = found.string else { throw wrong(key, "one of \(allowed)") }
    guard allowed.contains(text) else {
      throw .unsupported(model: model, key: key, value: "\"\(text)\"")
    }
    return text
  }

  /// A non-empty list of integers of at least 1.
  public mutating func ints(_ key: String) throws(ModelError) -> [Int] {
    guard let found = value(key) else { throw .missing(model: model, key: key) }
    // Never more than are allowed are taken out of the file, which may list any number of them.
    let numbers = found.array?.prefix(64).compactMap(\.int) ?? []
    guard !numbers.isEmpty, numbers.count == found.array?.count,
      numbers.allSatisfy({ $0 >= 1 && $0 <= 1 << 20 })
    else { throw wrong(key, "a list of positive integers") }
    return numbers
  }

  /// A list of `count` words out of `allowed`.
  public mutating func choices(
    _ key: String, of allowed: [String], count: Int
  ) throws(ModelError) -> [String] {
    guard let found = value(key) else { throw .missing(model: model, key: key) }
    let words = found.array?.prefix(count).compactMap(\.string) ?? []
    guard words.count == count, words.count == found.array?.count else {
      throw wrong(key, "a list of \(count) block names")
    }
    if let stranger = words.first(where: { !allowed.contains($0) }) {
      throw .unsupported(model: model, key: key, value: "\"\(stranger)\"")
    }
    return words
  }

  /// Refuses numbers beyond what any network has, before memory is asked for them.
  func limit(_ key: String, _ numbers: [Int], to most: Int) throws(ModelError) {
    guard numbers.allSatisfy({ $0 <= most }) else { throw wrong(key, "at most \(most)") }
  }

  /// A setting of each of `count` levels: a list of that length, or one value for all; `fallback` when
  /// absent or null.
  mutating func perLevel<T>(
    _ key: String, count: Int, default fallback: T, _ expected: String,
    _ read: (JSONValue) -> T?
  ) throws(ModelError) -> [T] {
    guard let found = value(key) else { return [T](repeating: fallback, count: count) }
    if let one = read(found) { return [T](repeating: one, count: count) }
    let list = found.array?.prefix(count).compactMap(read) ?? []
    guard list.count == count, found.array?.count == count else {
      throw wrong(key, "\(expected), or a list of \(count) of them")
    }
    return list
  }

  /// A positive integer for each of `count` levels, or one for all.
  mutating func intPerLevel(
    _ key: String, count: Int, default fallback: Int
  ) throws(ModelError) -> [Int] {
    try perLevel(key, count: count, default: fallback, "a positive integer") {
      $0.int.flatMap { $0 >= 1 && $0 <= 1 << 20 ? $0 : nil }
    }
  }

  /// Declares settings that do not change what the network computes.
  public mutating func ignore(_ keys: String...) { seen.formUnion(keys) }

  /// Throws when a setting that nobody read has a value other than null, false or a private name.
  public func finish() throws(ModelError) {
    let strangers = values.lazy.filter { key, found in
      !seen.contains(key) && !key.hasPrefix("_") && found != .null && found != .bool(false)
    }
    guard let (key, found) = strangers.min(by: { $0.key < $1.key }) else { return }
    throw .unsupported(model: model, key: key, value: found.brief)
  }
}
