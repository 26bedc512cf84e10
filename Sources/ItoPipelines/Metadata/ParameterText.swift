/// The text that stable-diffusion-webui stores under `parameters`, and many tools after it.
///
///     a red apple, (shiny:1.2)
///     Negative prompt: blurry
///     Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x768, Model: v1-5
///
/// The last line is settings if it has at least three of them, otherwise it belongs to the prompt. A value
/// with a comma, a colon or a line break is quoted as in JSON.
public struct ParameterText: Sendable, Hashable {
  /// The texts.
  public var prompt: String, negative: String
  /// The settings in their order.
  public var settings: [PictureRecipe.Setting]

  /// A text of these parts.
  public init(prompt: String, negative: String, settings: [PictureRecipe.Setting]) {
    self.prompt = prompt
    self.negative = negative
    self.settings = settings
  }

  /// Reads a text. Any text has a prompt.
  public init(parsing text: String) {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    settings = []
    if let last = lines.last {
      let found = Self.settings(in: last)
      if found.count >= 3 {
        settings = found
        lines.removeLast()
      }
    }
    let mark = "Negative prompt:"
    let start = lines.firstIndex { $0.drop(while: \.isWhitespace).hasPrefix(mark) }
    func joined(_ lines: ArraySlice<Substring>) -> String {
      Self.trimmed(lines.joined(separator: "\n")[...])
    }
    prompt = joined(lines[..<(start ?? lines.endIndex)])
    negative = ""
    if let start {
      let first = lines[start].drop(while: \.isWhitespace).dropFirst(mark.count)
      negative = joined([first] + lines[(start + 1)...])
    }
  }

  /// The text that `init(parsing:)` reads back, provided that no line of the prompts looks like the
  /// others.
  public var text: String {
    var text = prompt
    if !negative.isEmpty { text += "\nNegative prompt: " + negative }
    let list = settings.map { "\($0.key): \(Self.quoted($0.value))" }
    return text + "\n" + list.joined(separator: ", ")
  }

  /// The settings of one line: `key: value` pairs between commas.
  static func settings(in line: Substring) -> [PictureRecipe.Setting] {
    var found: [PictureRecipe.Setting] = []
    var rest = line
    while !rest.isEmpty {
      rest = rest.drop { $0.isWhitespace || $0 == "," }
      let key = rest.prefix { $0.isLetter || $0.isNumber || " _-/".contains($0) }
      guard key.count >= 2, rest[key.endIndex...].first == ":" else {
        rest = rest.drop { $0 != "," }
        continue
      }
      rest = rest[key.endIndex...].dropFirst().drop(while: \.isWhitespace)
      var value: String
      if rest.first == "\"", let (text, end) = unquoted(rest) {
        value = text
        rest = rest[end...]
      } else {
        let plain = rest.prefix { $0 != "," }
        value = trimmed(plain)
        rest = rest[plain.endIndex...]
      }
      found.append(.init(key: trimmed(key), value: value))
    }
    return found
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  private static func quoted(_ value: String) -> String {
    guard value.contains(where: { ",:\"".contains($0) || $0.isNewline }) else { return value }
    var text = "\""
    for character in value {
      switch character {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      default: text.append(character)
      }
    }
    return text + "\""
  }

  /// The text in quotes at the beginning, and where it ends; nil when it never does.
  private static func unquoted(_ text: Substring) -> (String, Substring.Index)? {
    var value = ""
    var at = text.index(after: text.startIndex)
    while at < text.endIndex {
      let character = text[at]
      at = text.index(after: at)
      if character == "\"" { return (value, at) }
      guard character == "\\", at < text.endIndex else {
        value.append(character)
        continue
      }
      value.append(text[at] == "n" ? "\n" : text[at])
      at = text.index(after: at)
    }
    return nil
  }
}
