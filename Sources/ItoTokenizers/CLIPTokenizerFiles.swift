import ItoComponents

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What the files of a CLIP tokenizer say, checked.
struct CLIPTokenizerFiles: Sendable {
  /// The special tokens by role, and the longest text.
  struct Settings: Sendable {
    var start = Mark(text: "<|startoftext|>")
    var end = Mark(text: "<|endoftext|>")
    var pad = Mark(text: "<|endoftext|>")
    var unknown = Mark(text: "<|endoftext|>")
    var maximumLength = 77
  }

  /// A special token; it is recognised in texts too.
  struct Mark: Sendable {
    var text: String
    /// It is looked for in the normalised text, not in what was written.
    var isNormalised = false
  }

  /// The file to name when parts do not fit together.
  var origin: String
  /// The vocabulary and its merges.
  var encoding: BytePairEncoding
  var added = AddedTokens()
  var settings = Settings()

  /// Larger files are refused: published ones have 1 to 3 MB.
  private static let sizeLimit = 64 << 20
  /// Bytes of an added token or a mark at most, and added tokens at most.
  static let longestToken = 256, mostAdded = 4096

  /// The vocabulary `{"token": number, …}` and the merges, a pair a line.
  init(vocabulary: String, merges: String) throws(TokenizerError) {
    try self.init(
      vocabulary: try Self.json(vocabulary), of: vocabulary, merges: try Self.bytes(merges),
      of: merges)
  }

  /// See the other; from the contents of the files `vocabularyFile` and `mergesFile`.
  init(
    vocabulary: JSONValue, of vocabularyFile: String, merges bytes: [UInt8], of mergesFile: String
  ) throws(TokenizerError) {
    origin = mergesFile
    let vocabulary = try Vocabulary(vocabulary, file: vocabularyFile)
    func isMerge(_ number: Int, _ line: ArraySlice<UInt8>) -> Bool {
      !line.isEmpty && !(number == 0 && line.starts(with: "#version".utf8))
    }
    var count = 0
    for (i, line) in Self.lines(of: bytes).enumerated() where isMerge(i, line) {
      guard let text = String(validating: line, as: UTF8.self) else {
        throw .corrupt(file: mergesFile, reason: "line \(i + 1) is not UTF-8")
      }
      guard Self.pair(text) != nil else {
        throw .corrupt(
          file: mergesFile, reason: "line \(i + 1), \(quoted(text)), is not a pair of tokens")
      }
      count += 1
    }
    let merges = Self.lines(of: bytes).enumerated().lazy.filter { isMerge($0.offset, $0.element) }
      .compactMap { Self.pair(String(decoding: $0.element, as: UTF8.self)) }
    encoding = try Self.encoding(vocabulary, count, merges, file: mergesFile)
  }

  /// The lines of a text, without what ends them. They are not collected: that would take eight times the
  /// text's size where they are short.
  private static func lines(of bytes: [UInt8]) -> some Sequence<ArraySlice<UInt8>> {
    sequence(state: 0) { (start: inout Int) -> ArraySlice<UInt8>? in
      guard start <= bytes.count else { return nil }
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      defer { start = end + 1 }
      let line = bytes[start..<end]
      return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
  }

  /// The encoding with `count` merges. Each makes a token, so that there cannot be more of them.
  static func encoding(
    _ vocabulary: Vocabulary, _ count: Int, _ merges: some Sequence<(left: String, right: String)>,
    file: String
  ) throws(TokenizerError) -> BytePairEncoding {
    guard count <= vocabulary.count else {
      throw .corrupt(
        file: file, reason: "it has \(count) merges for a vocabulary of \(vocabulary.count) tokens")
    }
    do throws(BytePairEncoding.UnknownToken) {
      return try BytePairEncoding(vocabulary: vocabulary, count: count, merges: merges)
    } catch {
      throw .corrupt(
        file: file,
        reason: "merge \(error.merge + 1) names \(quoted(error.token)), which is no token")
    }
  }

  /// Reads the settings beside the vocabulary, each file if it is there.
  ///
  /// `special_tokens_map.json` counts more than `tokenizer_config.json`, in the files of which
  /// Stable Diffusion 2's filling `!` is only found there; not when the latter lists its added tokens,
  /// as newer files do.
  mutating func readSettings(folder: String) throws(TokenizerError) {
    let file = folder + "/tokenizer_config.json", map = folder + "/special_tokens_map.json"
    try readSettings(try Self.jsonIfThere(file) ?? .object([:]), of: file) {
      () throws(TokenizerError) in (try Self.jsonIfThere(map), map)
    }
  }

  /// See the other; `map` gives the contents and the name of `special_tokens_map.json`.
  mutating func readSettings(
    _ configuration: JSONValue, of file: String,
    map: () throws(TokenizerError) -> (json: JSONValue?, file: String)
  ) throws(TokenizerError) {
    try settings.read(configuration, file: file)
    if let listed = configuration["added_tokens_decoder"]?.object {
      for (number, token) in listed { try readAdded(token, id: Int(number), file: file) }
    } else {
      let map = try map()
      if let json = map.json { try settings.read(json, file: map.file) }
    }
    guard case .integer(let length)? = configuration["model_max_length"] else { return }
    // Absurdly large numbers stand for "no limit", and the model has one.
    if length < 2 { throw .corrupt(file: file, reason: "model_max_length is \(length)") }
    if length <= 1 << 16 { settings.maximumLength = Int(length) }
  }

  static func bytes(_ path: String) throws(TokenizerError) -> [UInt8] {
    do throws(FileError) { return try readFile(path, limit: sizeLimit) } catch {
      throw .file(error)
    }
  }

  static func json(_ path: String) throws(TokenizerError) -> JSONValue {
    let contents = try bytes(path)
    do throws(JSONError) { return try JSONValue.parse(contents) } catch {
      throw .syntax(file: path, error)
    }
  }

  /// The JSON in `path`, nil when there is no such file.
  static func jsonIfThere(_ path: String) throws(TokenizerError) -> JSONValue? {
    do throws(TokenizerError) { return try json(path) } catch {
      if case .file(let cause) = error, cause.code == ENOENT { return nil }
      throw error
    }
  }

  /// The two tokens of `"left right"`, nil when it is none.
  static func pair(_ text: String) -> (left: String, right: String)? {
    guard let space = text.utf8.firstIndex(of: UInt8(ascii: " ")) else { return nil }
    let right = text.utf8[text.utf8.index(after: space)...]
    guard space > text.startIndex, !right.isEmpty, !right.contains(UInt8(ascii: " ")) else {
      return nil
    }
    return (String(text[..<space]), String(Substring(right)))
  }
}

extension CLIPTokenizerFiles.Settings {
  /// Takes over the roles that `json` names; a token is a string or an object with `content`.
  fileprivate mutating func read(_ json: JSONValue, file: String) throws(TokenizerError) {
    let roles: [(String, WritableKeyPath<Self, CLIPTokenizerFiles.Mark>)] = [
      ("bos_token", \.start), ("eos_token", \.end), ("pad_token", \.pad), ("unk_token", \.unknown),
    ]
    for (key, role) in roles {
      guard let value = json[key], !value.isNull else { continue }
      guard let text = value.string ?? value["content"]?.string else {
        throw .corrupt(file: file, reason: "\"\(key)\" is \(value.kind), not a token")
      }
      guard text.utf8.count <= CLIPTokenizerFiles.longestToken else {
        throw .corrupt(file: file, reason: "\"\(key)\" has \(text.utf8.count) bytes")
      }
      self[keyPath: role] = .init(text: text, isNormalised: value["normalized"]?.bool ?? false)
    }
  }
}
