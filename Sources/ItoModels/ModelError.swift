/// Why a model cannot be built from its configuration.
public enum ModelError: Error, Sendable, Hashable, CustomStringConvertible {
  /// `key` of the configuration is missing.
  case missing(model: String, key: String)
  /// `key` has a value of the wrong kind or outside what it may be.
  case invalid(model: String, key: String, value: String, expected: String)
  /// The configuration asks for something this model does not implement.
  case unsupported(model: String, key: String, value: String)
  /// No model of that class.
  case unknownClass(String, known: [String])

  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .missing(let model, let key):
      "\(model): its configuration has no \"\(key)\"; add it"
    case .invalid(let model, let key, let value, let expected):
      "\(model): \"\(key)\" is \(value), but it must be \(expected)"
    case .unsupported(let model, let key, let value):
      "\(model): \"\(key)\": \(value) is not supported; such a checkpoint cannot be run exactly"
    case .unknownClass(let name, let known):
      "no model of class \"\(name)\"; known: \(known.joined(separator: ", "))"
    }
  }
}
