public import ItoModules

/// Which parameters, by path: text in which `*` stands for anything, dots included.
///
/// `conv_in*` is the layer at the root, `*embed*` everything with an embedding in its path.
public struct PathPattern: Sendable, Hashable {
  /// As written.
  public let text: String
  private let parts: [[UInt8]]

  /// A pattern that covers the whole path.
  public init(_ text: String) {
    self.text = text
    parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
      .map(Array.init)
  }

  /// Whether the whole of `path` is as the pattern says.
  public func matches(_ path: ModulePath) -> Bool {
    var rest = Array(path.description.utf8)[...]
    guard let first = parts.first, let last = parts.last else { return rest.isEmpty }
    if parts.count == 1 { return rest.elementsEqual(first) }
    guard rest.count >= first.count + last.count, rest.starts(with: first),
      rest.suffix(last.count).elementsEqual(last)
    else { return false }
    rest = rest.dropFirst(first.count).dropLast(last.count)
    // Each middle part at its first place leaves the most for those behind it.
    for part in parts.dropFirst().dropLast() {
      guard let place = rest.indices.first(where: { rest[$0...].starts(with: part) }) else {
        if part.isEmpty { continue }
        return false
      }
      rest = rest[(place + part.count)...]
    }
    return true
  }
}
