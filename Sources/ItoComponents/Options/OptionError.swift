/// A component or an option that does not exist, or an option whose value cannot be used.
public enum OptionError: Error, Sendable, Hashable {
  /// Options that the component does not have.
  case unknownKeys([String], known: [String])
  /// A value of another type than the option takes.
  case wrongType(key: String, expected: String, found: String)
  /// A value outside what the option allows.
  case invalidValue(key: String, value: String, allowed: String)
  /// An option that must be given.
  case missing(key: String)
  /// A name that is not in the registry.
  case unknownComponent(String, known: [String])
  /// Text that is not `name:key=value,key=value`.
  case malformed(String, reason: String)
}

extension OptionError: CustomStringConvertible {
  /// What was wrong and what would be right.
  public var description: String {
    switch self {
    case .unknownKeys(let keys, let known):
      let named = keys.map { key in
        "'\(key)'" + (nearest(to: key, in: known).map { " (did you mean '\($0)'?)" } ?? "")
      }
      return "unknown option\(keys.count == 1 ? "" : "s") \(named.joined(separator: ", ")); "
        + (known.isEmpty ? "there are none here." : "known: \(known.joined(separator: ", ")).")
    case .wrongType(let key, let expected, let found):
      return "option '\(key)' takes \(expected), not \(found)."
    case .invalidValue(let key, let value, let allowed):
      return "option '\(key)' is \(value); allowed: \(allowed)."
    case .missing(let key):
      return "option '\(key)' is needed and was not given."
    case .unknownComponent(let name, let known):
      let hint = nearest(to: name, in: known).map { " Did you mean '\($0)'?" } ?? ""
      return "there is no '\(name)'.\(hint) Known: \(known.joined(separator: ", "))."
    case .malformed(let text, let reason):
      return "'\(text)' cannot be read: \(reason). Write it as name:key=value,key=value."
    }
  }
}

/// The name in `names` that `name` is most likely a misspelling of; nil when none is close.
///
/// Close: no more than one edit (insertion, deletion, substitution, swap of neighbours) per three
/// characters, after case, spaces, `-` and `_` are disregarded.
/// - Source: optimal string alignment distance, after Damerau 1964, doi:10.1145/363958.363994.
public func nearest(to name: String, in names: [String]) -> String? {
  let wanted = Array(canonicalName(name).unicodeScalars)
  var best: (name: String, distance: Int)?
  for candidate in names {
    let letters = Array(canonicalName(candidate).unicodeScalars)
    let limit = max(1, max(wanted.count, letters.count) / 3)
    let distance = editDistance(wanted, letters)
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// `name` in lower case without spaces, `-` and `_`: what names are compared by.
func canonicalName(_ name: String) -> String {
  String(name.lowercased().filter { $0 != " " && $0 != "-" && $0 != "_" })
}

private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var older: [Int] = []
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, older[j - 1] + 1) }
      row.append(cost)
    }
    older = previous
    previous = row
  }
  return previous[b.count]
}
