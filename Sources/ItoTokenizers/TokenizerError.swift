public import ItoComponents

/// Why a tokenizer could not be read from its files.
public enum TokenizerError: Error, Sendable, Hashable {
  /// The operating system refused.
  case file(FileError)
  /// The file is not JSON.
  case syntax(file: String, JSONError)
  /// The file breaks the rules of its format.
  case corrupt(file: String, reason: String)
  /// The file asks for something that is not implemented, so that its tokens would be wrong.
  case unsupported(file: String, reason: String)
}

extension TokenizerError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .syntax(let file, let error): "'\(file)' is not valid JSON: \(error)"
    case .corrupt(let file, let reason):
      "'\(file)' is damaged: \(reason). Download or copy it again and compare its size with the "
        + "original's."
    case .unsupported(let file, let reason): "'\(file)' cannot be used: \(reason)."
    }
  }
}
