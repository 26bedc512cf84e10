/// The components of one kind that a user can choose from, by name.
///
/// A target that offers components lists them in its `Registries.swift`, one line each; the command
/// line, configuration files, help texts and tests all work from that list.
///
///     extension Registry where Component == any Solver {
///       public static let builtin = Registry([.register(EulerSolver.self), …])
///     }
public struct Registry<Component>: Sendable {
  /// One component.
  public struct Entry: Sendable {
    /// The name users type.
    public let name: String
    /// Other names for it.
    public let aliases: [String]
    /// What it is, in a few words.
    public let summary: String
    let make: @Sendable (inout OptionReader) throws(OptionError) -> Component

    /// A component that `make` makes from options.
    public init(
      name: String, aliases: [String] = [], summary: String = "",
      make: @escaping @Sendable (inout OptionReader) throws(OptionError) -> Component
    ) {
      self.name = name
      self.aliases = aliases
      self.summary = summary
      self.make = make
    }

    /// A component that says its name, aliases and options itself.
    public init<T: Configurable>(_ type: T.Type, as erase: @escaping @Sendable (T) -> Component) {
      self.init(name: T.name, aliases: T.aliases, summary: T.summary) {
        (reader) throws(OptionError) in erase(try T(options: &reader))
      }
    }
  }

  /// The components in the order they were listed.
  public let entries: [Entry]
  private let positions: [String: Int]

  /// A registry of `entries`, whose names and aliases must all differ.
  public init(_ entries: [Entry]) {
    var positions: [String: Int] = [:]
    for (i, entry) in entries.enumerated() {
      // An alias may be the name spelled another way, but never another component's.
      for name in [entry.name] + entry.aliases {
        let other = positions.updateValue(i, forKey: canonicalName(name))
        if let other, other != i {
          fatalError("Itô: '\(name)' names both '\(entries[other].name)' and '\(entry.name)'")
        }
      }
    }
    self.entries = entries
    self.positions = positions
  }

  /// The names in alphabetical order, without aliases.
  public var names: [String] { entries.map(\.name).sorted() }

  /// The entry that `name` or an alias of it names; case, spaces, `-` and `_` do not matter.
  public func entry(_ name: String) throws(OptionError) -> Entry {
    if let position = positions[canonicalName(name)] { return entries[position] }
    // A misspelled alias is suggested too, though the list of names leaves aliases out.
    if nearest(to: name, in: names) == nil,
      let alias = nearest(to: name, in: entries.flatMap(\.aliases))
    {
      throw .unknownComponent(name, known: [alias] + names)
    }
    throw .unknownComponent(name, known: names)
  }

  /// Whether `name` is the name or an alias of a component.
  public func contains(_ name: String) -> Bool { positions[canonicalName(name)] != nil }

  /// Makes the component called `name`; an option it does not have is an error.
  public func make(
    _ name: String, options: OptionReader = OptionReader()
  ) throws(OptionError) -> Component {
    let entry = try entry(name)
    var reader = options
    let component = try entry.make(&reader)
    try reader.finish()
    return component
  }

  /// Makes the component that `choice` names, with its options.
  public func make(_ choice: ComponentChoice) throws(OptionError) -> Component {
    try make(choice.name, options: OptionReader(choice.options))
  }

  /// The options of the component called `name`; empty for one that cannot be made without any.
  public func options(of name: String) throws(OptionError) -> [OptionDescription] {
    let entry = try entry(name)
    var reader = OptionReader()
    _ = try? entry.make(&reader)
    return reader.descriptions
  }
}
