public import ItoComponents

/// Training data that cannot be used.
public enum DataError: Error, Sendable, Hashable {
  /// The operating system refused a file operation.
  case file(FileError)
  /// A file that is not what its format says.
  case corrupt(path: String, reason: String)
  /// One picture that cannot be used. Preparation skips it, names it and goes on.
  case item(reason: String)
  /// Too many items could not be used.
  case tooManyBadItems(bad: Int, of: Int, items: [String])
  /// Nothing to train on.
  case empty(path: String, reason: String)
  /// Data of a kind that the run cannot use.
  case unsuitable(String)
  /// Preparation was asked to stop; nothing was left behind.
  case cancelled
}

extension DataError: CustomStringConvertible {
  /// What was wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(let error): return error.description
    case .corrupt(let path, let reason):
      return "'\(path)' cannot be read as training data: \(reason). "
        + "Fetch the file again, or check that it is of the kind the configuration says."
    case .item(let reason): return reason
    case .tooManyBadItems(let bad, let count, let items):
      let shown = items.prefix(20).map { "\n  " + $0 }.joined()
      let more = items.count > 20 ? "\n  and \(items.count - 20) more" : ""
      return "\(bad) of \(count) items cannot be used, more than 1 %. Repair or remove them:"
        + shown + more
    case .empty(let path, let reason): return "'\(path)' holds nothing to train on: \(reason)."
    case .unsuitable(let reason): return "the data does not fit the run: \(reason)."
    case .cancelled: return "Stopped while preparing the data; nothing was kept of it."
    }
  }
}
