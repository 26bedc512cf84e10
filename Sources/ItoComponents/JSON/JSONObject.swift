/// The members of a JSON object, in the order they were written.
///
/// Two objects are equal when they hold the same keys and values, whatever the order. Keys compare
/// as Swift strings do: by canonical equivalence.
///
/// Members that were read from a text stay in a compact form, at most 1.75 times as large as their text,
/// and become values when they are asked for; an object that is changed takes its members out of it.
public struct JSONObject: Sendable {
  /// Where the members are while they are as they were read.
  private var packed: PackedJSON?
  private var members = Members()

  /// An object without members.
  public init() {}

  /// An object with `members`; of a repeated key the last value counts, at the first one's place.
  public init(_ members: some Sequence<(String, JSONValue)>) {
    for (key, value) in members { self[key] = value }
  }

  init(packed: PackedJSON) { self.packed = packed }

  /// Number of members.
  public var count: Int { packed?.count ?? members.keys.count }

  /// Whether there are no members.
  public var isEmpty: Bool { count == 0 }

  /// The keys, in order.
  public var keys: [String] { packed == nil ? members.keys : map(\.key) }

  /// The values, in the order of the keys.
  public var values: [JSONValue] { packed == nil ? members.values : map(\.value) }

  /// The value under `key`. Setting a new key appends it; setting nil removes it.
  public subscript(key: String) -> JSONValue? {
    get {
      if let packed { return packed.member(key).map { packed.value(at: $0) } }
      return members.position(of: key).map { members.values[$0] }
    }
    set {
      if packed != nil {
        var taken = Members()
        for (key, value) in self { taken.append(key, value) }
        (members, packed) = (taken, nil)
      }
      switch (members.position(of: key), newValue) {
      case (let at?, let value?): members.values[at] = value
      case (let at?, nil): members.remove(at: at)
      case (nil, let value?): members.append(key, value)
      case (nil, nil): break
      }
    }
  }
}

/// Members in a form that can be changed.
private struct Members: Sendable {
  var keys: [String] = []
  var values: [JSONValue] = []
  /// Position of each key; kept only past `indexThreshold` members, below which a scan is quicker.
  private var index: [String: Int] = [:]
  private static let indexThreshold = 8

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

  mutating func remove(at position: Int) {
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
    a.count == b.count && a.allSatisfy { b[$0.key] == $0.value }
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
  public var endIndex: Int { count }
  /// The member at `position`.
  public subscript(position: Int) -> (key: String, value: JSONValue) {
    guard let packed else { return (members.keys[position], members.values[position]) }
    precondition(indices.contains(position), "a JSON object has no member \(position)")
    let place = packed.item(position)
    return (packed.text(at: place), packed.value(at: packed.end(of: place)))
  }

  /// Goes through the members once.
  public struct Iterator: IteratorProtocol {
    fileprivate let object: JSONObject
    fileprivate var remaining: Int
    fileprivate var place: Int

    /// The next member, nil past the last.
    public mutating func next() -> (key: String, value: JSONValue)? {
      guard remaining > 0 else { return nil }
      remaining -= 1
      guard let packed = object.packed else {
        let position = object.members.keys.count - 1 - remaining
        return (object.members.keys[position], object.members.values[position])
      }
      let value = packed.end(of: place)
      defer { place = packed.end(of: value) }
      return (packed.text(at: place), packed.value(at: value))
    }
  }

  /// Goes through the members once.
  public func makeIterator() -> Iterator {
    Iterator(object: self, remaining: count, place: packed?.first ?? 0)
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object; of a repeated key the last value counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
