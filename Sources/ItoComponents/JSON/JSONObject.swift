/// The members of a JSON object, in the order they were written.
///
/// Two objects are equal when they hold the same keys and values, whatever the order. Keys compare
/// as Swift strings do: by canonical equivalence.
public struct JSONObject: Sendable {
  /// The keys, in order.
  public private(set) var keys: [String] = []
  /// The values, in the order of the keys.
  public private(set) var values: [JSONValue] = []
  /// Position of each key; kept only past `indexThreshold` members, below which a scan is quicker.
  private var index: [String: Int] = [:]
  private static let indexThreshold = 8

  /// An object without members.
  public init() {}

  /// An object with `members`; of a repeated key the last value counts, at the first one's place.
  public init(_ members: some Sequence<(String, JSONValue)>) {
    for (key, value) in members { self[key] = value }
  }

  /// Number of members.
  public var count: Int { keys.count }

  /// Whether there are no members.
  public var isEmpty: Bool { keys.isEmpty }

  /// The value under `key`. Setting a new key appends it; setting nil removes it.
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { values[$0] } }
    set {
      switch (position(of: key), newValue) {
      case (let at?, let value?): values[at] = value
      case (let at?, nil): remove(at: at)
      case (nil, let value?): append(key, value)
      case (nil, nil): break
      }
    }
  }

  func position(of key: String) -> Int? {
    keys.count > Self.indexThreshold ? index[key] : keys.firstIndex(of: key)
  }

  /// Appends a member whose key is known to be new.
  mutating func append(_ key: String, _ value: JSONValue) {
    keys.append(key)
    values.append(value)
    if keys.count == Self.indexThreshold + 1 {
      reindex()
    } else if keys.count > Self.indexThreshold {
      index[key] = keys.count - 1
    }
  }

  private mutating func remove(at position: Int) {
    keys.remove(at: position)
    values.remove(at: position)
    reindex()
  }

  private mutating func reindex() {
    index.removeAll(keepingCapacity: true)
    if keys.count > Self.indexThreshold {
      for (i, key) in keys.enumerated() { index[key] = i }
    }
  }
}

extension JSONObject: Hashable {
  /// Whether both hold the same keys and values, in any order.
  public static func == (a: JSONObject, b: JSONObject) -> Bool {
    a.count == b.count && Swift.zip(a.keys, a.values).allSatisfy { b[$0] == $1 }
  }

  /// Hashes the members without regard to their order.
  public func hash(into hasher: inout Hasher) {
    var sum = 0
    for (key, value) in self {
      var member = Hasher()
      member.combine(key)
      member.combine(value)
      sum &+= member.finalize()
    }
    hasher.combine(sum)
  }
}

extension JSONObject: RandomAccessCollection {
  /// The position of the first member.
  public var startIndex: Int { 0 }
  /// The position past the last member.
  public var endIndex: Int { keys.count }
  /// The member at `position`.
  public subscript(position: Int) -> (key: String, value: JSONValue) {
    (keys[position], values[position])
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object; of a repeated key the last value counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
