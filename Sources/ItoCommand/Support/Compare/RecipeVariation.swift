import ItoComponents
import ItoTraining

/// A setting of a recipe and the values it takes in turn: `weighting=min-snr,logit-normal`.
struct RecipeVariation {
  /// As written before `=`.
  let key: String
  /// As written between commas.
  let values: [String]

  /// Reads `KEY=VALUE,VALUE…`. A comma within a component's options (`muon:momentum=0.9,iterations=4`)
  /// does not end the value: a piece with `=` and no `:` belongs to the one before.
  init(parsing text: String) throws {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw CommandFailure(
        "--vary \(text): write the setting and its values, such as weighting=min-snr,none.")
    }
    key = String(text[..<equals])
    var found: [String] = []
    for piece in text[text.index(after: equals)...].split(separator: ",").map(String.init) {
      if piece.contains("="), !piece.contains(":"), let last = found.popLast() {
        found.append(last + "," + piece)
      } else {
        found.append(piece)
      }
    }
    guard !found.isEmpty else {
      throw CommandFailure("--vary \(text): \(key) has no values; list them with commas.")
    }
    values = found
  }

  /// The recipe `source` with this setting at `value`.
  ///
  /// The setting is a path (`training.optimizer`), or its last part where only one section of the recipe
  /// knows it. A distribution of times given as a weighting goes to `times`, since both say how much each
  /// noise level counts.
  func applied(
    to source: JSONValue, value: String, isKnown: (JSONValue) -> Bool
  ) throws -> JSONValue {
    let parsed = Self.parsed(value)
    func changed(_ path: [String]) -> JSONValue { Self.setting(path[...], to: parsed, in: source) }
    var path = key.split(separator: ".").map(String.init)
    if path.last == "weighting", isTimes(value) { path[path.count - 1] = "times" }
    if path.count > 1 || path == ["seed"] {
      guard isKnown(changed(path)) else {
        throw CommandFailure(
          "--vary \(key): the recipe has no such setting, or \(value) is none of its values")
      }
      return changed(path)
    }
    // A network's settings are its own: only those that the recipe has are looked for there.
    let hasNetwork = source["network"]?[path[0]] != nil
    let sections = ["diffusion", "training", "data", "sampling"] + (hasNetwork ? ["network"] : [])
    let possible = sections.filter { isKnown(changed([$0] + path)) }
    let present = possible.filter { source[$0]?[path[0]] != nil }
    let chosen = present.count == 1 ? present : possible
    guard chosen.count == 1 else {
      throw CommandFailure(
        chosen.isEmpty
          ? "--vary \(key): no section of the recipe knows it, or \(value) is none of its values"
          : "--vary \(key): several sections have it; write "
            + chosen.map { "\($0).\(path[0])" }.joined(separator: " or "))
    }
    return changed([chosen[0]] + path)
  }

  private func isTimes(_ value: String) -> Bool {
    guard let name = try? ComponentChoice(parsing: value).name else { return false }
    func knows(_ names: [String]) -> Bool { names.contains(name) }
    return !knows(Registry<any LossWeighting>.builtin.names)
      && knows(Registry<any TimeSampling>.builtin.names)
  }

  private static func parsed(_ text: String) -> JSONValue {
    if let number = Int64(text) { return .integer(number) }
    if let number = Double(text), number.isFinite { return .double(number) }
    return text == "true" ? true : text == "false" ? false : .string(text)
  }

  private static func setting(
    _ path: ArraySlice<String>, to value: JSONValue, in source: JSONValue?
  ) -> JSONValue {
    guard let first = path.first else { return value }
    var object = source?.object ?? JSONObject()
    object[first] = setting(path.dropFirst(), to: value, in: object[first])
    return .object(object)
  }
}
