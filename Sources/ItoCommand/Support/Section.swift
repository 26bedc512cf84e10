import ItoComponents
import ItoImages

/// One mapping of a recipe, read key by key; what nobody reads is an error in `finish`.
struct Section {
  private let file: String, path: String
  private var values: [String: JSONValue] = [:]
  private var known: [String] = []

  init(_ value: JSONValue?, file: String, path: String = "") throws {
    self.file = file
    self.path = path
    guard let value, value != .null else { return }
    guard let object = value.object else {
      throw CommandFailure(
        "\(file): \(path.isEmpty ? "the recipe" : "\"\(path)\"") must be a mapping of keys to values, "
          + "not \(value.kind)")
    }
    for (key, value) in object { values[key] = value }
  }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func wrong(_ key: String, _ value: JSONValue, _ expected: String) -> CommandFailure {
    CommandFailure("\(file): \"\(name(key))\" must be \(expected), not \(value.kind) (\(value))")
  }

  private mutating func take(_ key: String) -> JSONValue? {
    known.append(key)
    guard let value = values.removeValue(forKey: key), value != .null else { return nil }
    return value
  }

  /// The value as it stands.
  mutating func raw(_ key: String) -> JSONValue? { take(key) }

  mutating func optionalString(_ key: String) throws -> String? {
    guard let value = take(key) else { return nil }
    guard let text = value.string else { throw wrong(key, value, "text") }
    return text
  }

  mutating func string(_ key: String, default fallback: String? = nil) throws -> String {
    if let text = try optionalString(key) { return text }
    guard let fallback else { throw CommandFailure("\(file): \"\(name(key))\" is missing; add it") }
    return fallback
  }

  mutating func color(_ key: String, default fallback: PixelColor) throws -> PixelColor {
    guard let text = try optionalString(key) else { return fallback }
    guard let color = PixelColor(hexadecimal: text) else {
      throw wrong(key, .string(text), "a colour such as \"#30a0ff\", in quotes")
    }
    return color
  }

  mutating func choice(_ key: String, of allowed: [String], default fallback: String? = nil) throws
    -> String
  {
    let text = try string(key, default: fallback)
    guard allowed.contains(text) else {
      throw CommandFailure(
        "\(file): \"\(name(key))\" is \"\(text)\"; choose one of \(allowed.joined(separator: ", "))"
      )
    }
    return text
  }

  mutating func int(
    _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = 0...(1 << 40)
  ) throws -> Int {
    guard let value = take(key) else {
      guard let fallback else {
        throw CommandFailure("\(file): \"\(name(key))\" is missing; add it")
      }
      return fallback
    }
    guard let number = value.int else { throw wrong(key, value, "a whole number") }
    guard range.contains(number) else {
      throw CommandFailure(
        "\(file): \"\(name(key))\" is \(number); it must be from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  mutating func double(
    _ key: String, default fallback: Double, in range: ClosedRange<Double> = 0...1e12
  ) throws -> Double {
    guard let value = take(key) else { return fallback }
    guard let number = value.double, number.isFinite else { throw wrong(key, value, "a number") }
    guard range.contains(number) else {
      throw CommandFailure(
        "\(file): \"\(name(key))\" is \(number); it must be from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  mutating func bool(_ key: String, default fallback: Bool) throws -> Bool {
    guard let value = take(key) else { return fallback }
    guard let flag = value.bool else { throw wrong(key, value, "true or false") }
    return flag
  }

  mutating func strings(_ key: String) throws -> [String]? {
    guard let value = take(key) else { return nil }
    let words = value.array?.compactMap(\.string) ?? []
    guard words.count == value.array?.count else { throw wrong(key, value, "a list of words") }
    return words
  }

  /// A component by name (`euler`), by name with options in one word (`ddim:eta=0.5`), or a mapping
  /// with `name` and options.
  mutating func component(_ key: String, default fallback: String) throws -> ComponentChoice {
    guard let value = take(key) else { return try ComponentChoice(parsing: fallback) }
    if let text = value.string { return try ComponentChoice(parsing: text) }
    guard let object = value.object, let name = object["name"]?.string else {
      throw wrong(key, value, "a name, or a mapping with a name and options")
    }
    var options: [String: OptionValue] = [:]
    for (option, setting) in object where option != "name" {
      guard let setting = OptionValue(setting) else {
        throw wrong("\(key).\(option)", setting, "a number, a word, a list or true or false")
      }
      options[option] = setting
    }
    return ComponentChoice(name, options: options)
  }

  /// As above, nil for no value and for `none`.
  mutating func optionalComponent(_ key: String) throws -> ComponentChoice? {
    let choice = try component(key, default: "none")
    return choice.name == "none" ? nil : choice
  }

  /// Profiles of averages: a number is the share that stays at each step, 0 is no average; a name or a
  /// mapping is one profile, a list several, the first of which is the model in the end.
  mutating func averages(_ key: String) throws -> [ComponentChoice] {
    let value = take(key)
    if let number = value?.double {
      guard (0...0.999_999_9).contains(number) else {
        throw wrong(key, .double(number), "from 0 to 0.9999999")
      }
      return number == 0
        ? [] : [ComponentChoice("exponential", options: ["decay": .double(number)])]
    }
    let items = value?.array ?? [value ?? "exponential"]
    return try items.map { item in
      var holder = try Section(.object([key: item]), file: file, path: path)
      return try holder.component(key, default: "exponential")
    }
  }

  /// The mapping under `key`, empty when absent.
  mutating func section(_ key: String) throws -> Section {
    try Section(take(key), file: file, path: name(key))
  }

  /// Throws when a key was not read.
  func finish() throws {
    guard let stranger = values.keys.sorted().first else { return }
    let hint = nearest(to: stranger, in: known).map { "; did you mean \"\($0)\"?" } ?? ""
    throw CommandFailure(
      "\(file): unknown key \"\(name(stranger))\"\(hint) Known here: \(known.sorted().joined(separator: ", "))"
    )
  }
}
