public import ItoComponents

/// Why a checkpoint could not be read, loaded or written.
public enum CheckpointError: Error, Sendable, Hashable {
  /// The operating system refused.
  case file(FileError)
  /// The file breaks the rules of its format.
  case corrupt(file: String, reason: String)
  /// The file is of a kind, or holds something, that is not supported.
  case unsupported(file: String, reason: String)
  /// The file has no tensor of that name.
  case noSuchTensor(String, file: String)
  /// The tensors do not fit the model.
  case mismatch(LoadMismatch, file: String)
  /// Tensors contain NaN or infinities: their names, each with the place of its first.
  case nonFinite([String], file: String)
}

extension CheckpointError: CustomStringConvertible {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .corrupt(let file, let reason):
      "'\(file)' is damaged: \(reason). Download or copy it again and compare its size or check sum "
        + "with the original's."
    case .unsupported(let file, let reason): "'\(file)' cannot be used: \(reason)."
    case .noSuchTensor(let name, let file): "'\(file)' has no tensor '\(name)'."
    case .mismatch(let mismatch, let file): "'\(file)' does not fit the model: \(mismatch)"
    case .nonFinite(let names, let file):
      "'\(file)' has NaN or infinite values in \(list(names)). The run that wrote it had diverged or "
        + "the file is damaged; use an earlier checkpoint or download it again."
    }
  }
}

/// Everything in which a checkpoint and a model disagree.
public struct LoadMismatch: Sendable, Hashable {
  /// A parameter whose tensor the file lacks.
  public struct Missing: Sendable, Hashable {
    /// The parameter's place in the model.
    public var path: String
    /// The key looked for in the file.
    public var key: String
  }

  /// A parameter whose tensor has another shape or kind of element.
  public struct Different: Sendable, Hashable {
    /// The parameter's place in the model.
    public var path: String
    /// The key in the file.
    public var key: String
    /// What the model needs, as the file would hold it: `float32 [8, 4, 3, 3]`.
    public var expected: String
    /// What the file has.
    public var found: String
  }

  /// Parameters without a tensor.
  public var missing: [Missing] = []
  /// Parameters whose tensor does not fit.
  public var different: [Different] = []
  /// Keys that no parameter uses, or not all of, and that may not be ignored.
  public var unused: [String] = []

  /// Whether all fits.
  public var isEmpty: Bool { missing.isEmpty && different.isEmpty && unused.isEmpty }
}

extension LoadMismatch: CustomStringConvertible {
  /// One sentence for each kind of disagreement, with up to eight examples.
  public var description: String {
    var sentences: [String] = []
    if !missing.isEmpty {
      let names = missing.map { $0.path == $0.key ? $0.key : "\($0.key) (for \($0.path))" }
      sentences.append("it lacks \(list(names)).")
    }
    if !different.isEmpty {
      let items = different.map { "\($0.key) is \($0.found) where \($0.path) needs \($0.expected)" }
      sentences.append(list(items) + ".")
    }
    if !unused.isEmpty { sentences.append("the model has no use for \(list(unused)).") }
    return sentences.joined(separator: " ") + " " + advice
  }

  private var advice: String {
    // A wrapper's prefix is the commonest reason for a file in which nothing is found.
    if let first = missing.first, unused.contains(where: { $0.hasSuffix("." + first.key) }),
      let prefix = unused.first(where: { $0.hasSuffix("." + first.key) })?.dropLast(first.key.count)
    {
      return "Its keys begin with '\(prefix)': load it with that prefix."
    }
    return different.isEmpty
      ? "Check that the file belongs to this kind of model."
      : "Check that the model's configuration is the one the file was made with."
  }
}

/// `3 tensors: 'a', 'b', 'c'` in prose: the items, or the first eight and how many more.
private func list(_ items: [String]) -> String {
  let shown = items.prefix(8).joined(separator: ", ")
  return items.count > 8 ? "\(shown) and \(items.count - 8) more" : shown
}
