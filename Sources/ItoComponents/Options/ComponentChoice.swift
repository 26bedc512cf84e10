/// A component's name with its options, as in `first-block:threshold=0.1,warmup=3`.
public struct ComponentChoice: Sendable, Hashable {
  /// The name or an alias.
  public var name: String
  /// The options given.
  public var options: [String: OptionValue]

  /// A choice of `name` with `options`.
  public init(_ name: String, options: [String: OptionValue] = [:]) {
    self.name = name
    self.options = options
  }

  /// Reads `name` or `name:key=value,key=value`. A key without a value is `true`; values are read by
  /// `OptionValue(word:)`, so lists are in brackets and odd text in quotes.
  public init(parsing text: String) throws(OptionError) {
    let parts = text.splitAtTopLevel(":")
    name = parts[0].trimmingSpaces()
    options = [:]
    if name.isEmpty { throw .malformed(text, reason: "the name is missing") }
    guard parts.count > 1 else { return }
    for item in parts.dropFirst().joined(separator: ":").splitAtTopLevel(",") {
      let sides = item.splitAtTopLevel("=")
      let key = sides[0].trimmingSpaces()
      if key.isEmpty { throw .malformed(text, reason: "an option has no name") }
      if options[key] != nil { throw .malformed(text, reason: "'\(key)' is given twice") }
      options[key] =
        sides.count == 1
        ? .bool(true) : OptionValue(word: sides.dropFirst().joined(separator: "="))
    }
  }
}

extension ComponentChoice: CustomStringConvertible {
  /// The text that `init(parsing:)` reads back, options in alphabetical order.
  public var description: String {
    guard !options.isEmpty else { return name }
    let pairs = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return name + ":" + pairs.joined(separator: ",")
  }
}
