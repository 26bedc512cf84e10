/// Where a parameter lives in a model: `blocks.3.attn1.to_q.weight`.
public struct ModulePath: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Names from the root down.
  public var components: [String] = []

  /// The root.
  public init() {}

  /// A path from its dotted form.
  public init(_ text: String) { components = text.split(separator: ".").map(String.init) }

  /// The dotted form.
  public var description: String { components.joined(separator: ".") }

  /// The last name, empty at the root.
  public var last: String { components.last ?? "" }

  /// The path one level up.
  public var parent: ModulePath {
    var copy = self
    _ = copy.components.popLast()
    return copy
  }

  /// Lexicographic by component.
  public static func < (a: ModulePath, b: ModulePath) -> Bool {
    a.components.lexicographicallyPrecedes(b.components)
  }
}
