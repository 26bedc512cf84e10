/// A component that a user chooses by name and sets up with options.
public protocol Configurable: Sendable {
  /// The name users type, in lower case with hyphens: `dpm++2m`.
  static var name: String { get }
  /// Other names for it, such as those of other tools. Case, spaces, `-` and `_` do not matter.
  static var aliases: [String] { get }
  /// What it is, in a few words for help texts and tables.
  static var summary: String { get }
  /// Takes its options from `options`; asking for all of them is what makes them known.
  init(options: inout OptionReader) throws(OptionError)
}

extension Configurable {
  /// None.
  public static var aliases: [String] { [] }
  /// Empty.
  public static var summary: String { "" }
}
