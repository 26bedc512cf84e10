/// The elements of a JSON array.
///
/// Elements that were read from a text stay in a compact form, about as large as their text, and become
/// values when they are asked for. That takes a constant time each, one after the other or at any place.
public struct JSONArray: Sendable {
  private enum Storage: Sendable {
    case plain([JSONValue])
    case packed(PackedJSON)
  }

  private let storage: Storage

  /// An array of `elements`.
  public init(_ elements: [JSONValue]) { storage = .plain(elements) }

  init(packed: PackedJSON) { storage = .packed(packed) }
}

extension JSONArray: RandomAccessCollection {
  /// The position of the first element.
  public var startIndex: Int { 0 }

  /// The position past the last element.
  public var endIndex: Int {
    switch storage {
    case .plain(let elements): elements.count
    case .packed(let packed): packed.count
    }
  }

  /// The element at `position`.
  public subscript(position: Int) -> JSONValue {
    switch storage {
    case .plain(let elements): return elements[position]
    case .packed(let packed):
      precondition(indices.contains(position), "a JSON array has no element \(position)")
      return packed.value(at: packed.item(position))
    }
  }

  /// Goes through the elements once.
  public struct Iterator: IteratorProtocol {
    fileprivate let array: JSONArray
    fileprivate var remaining: Int
    fileprivate var place: Int

    /// The next element, nil past the last.
    public mutating func next() -> JSONValue? {
      guard remaining > 0 else { return nil }
      remaining -= 1
      switch array.storage {
      case .plain(let elements): return elements[elements.count - 1 - remaining]
      case .packed(let packed):
        defer { place = packed.end(of: place) }
        return packed.value(at: place)
      }
    }
  }

  /// Goes through the elements once.
  public func makeIterator() -> Iterator {
    var place = 0
    if case .packed(let packed) = storage { place = packed.first }
    return Iterator(array: self, remaining: count, place: place)
  }
}

extension JSONArray: Hashable {
  /// Whether both hold the same elements.
  public static func == (a: JSONArray, b: JSONArray) -> Bool {
    a.count == b.count && a.elementsEqual(b)
  }

  /// Hashes the elements in order.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for element in self { hasher.combine(element) }
  }
}

extension JSONArray: ExpressibleByArrayLiteral {
  /// An array of `elements`.
  public init(arrayLiteral elements: JSONValue...) { self.init(elements) }
}
