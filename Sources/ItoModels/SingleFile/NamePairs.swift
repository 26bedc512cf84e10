/// Two sets of names for the same parts of a network, as pairs of dotted prefixes.
///
/// The longest prefix of a name decides, so a pair for a block holds for all of its parameters but
/// those with pairs of their own. Works in both directions.
struct NamePairs: Sendable {
  private var ours: [String: String] = [:]
  private var theirs: [String: String] = [:]

  /// Adds a pair.
  mutating func add(_ our: String, _ their: String) {
    ours[their] = our
    theirs[our] = their
  }

  /// Adds the pairs of `inner` below a prefix on either side.
  mutating func add(_ inner: [(String, String)], below our: String, _ their: String) {
    for (a, b) in inner { add(our + "." + a, their + "." + b) }
  }

  /// Our name (that of the published folders) for theirs; nil when there is none.
  func ours(for name: String) -> String? { Self.replace(name, by: ours) }

  /// Their name (that of the original repositories) for ours.
  func theirs(for name: String) -> String? { Self.replace(name, by: theirs) }

  private static func replace(_ name: String, by table: [String: String]) -> String? {
    var prefix = Substring(name)
    while true {
      if let found = table[String(prefix)] { return found + name[prefix.endIndex...] }
      guard let dot = prefix.lastIndex(of: ".") else { return nil }
      prefix = prefix[..<dot]
    }
  }
}

/// All dotted prefixes of a set of names, to ask whether a part of a network is there.
struct NameTree: Sendable {
  private var prefixes: Set<String> = []

  init(_ names: some Sequence<String>) {
    for name in names {
      var prefix = Substring(name)
      while prefixes.insert(String(prefix)).inserted, let dot = prefix.lastIndex(of: ".") {
        prefix = prefix[..<dot]
      }
    }
  }

  /// Whether a name is `part` or begins with it and a dot.
  func has(_ part: String) -> Bool { prefixes.contains(part) }

  /// How many of `name.0`, `name.1`, … there are in a row.
  func count(_ name: String) -> Int {
    var count = 0
    while has("\(name).\(count)") { count += 1 }
    return count
  }
}
