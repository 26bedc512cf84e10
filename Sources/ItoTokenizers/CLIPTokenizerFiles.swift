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
  var numbers: [String: Int32] = [:]
  var merges: [(left: Substring, right: Substring)] = []
  var added = AddedTokens()
  var settings = Settings()

  /// Larger files are refused: published ones have 1 to 3 MB.
  private static let sizeLimit = 64 << 20

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
    numbers = try Self.numbers(vocabulary, file: vocabularyFile)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .corrupt(file: mergesFile, reason: "it is not UTF-8")
    }
    merges.reserveCapacity(min(bytes.count / 4, 1 << 16))
    // By bytes: cutting by characters takes ten times as long.
    let newline = UInt8(ascii: "\n")
    let lines = text.utf8.split(separator: newline, omittingEmptySubsequences: false)
    for (i, bytes) in lines.enumerated() {
      let line = Substring(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
      if line.isEmpty || (i == 0 && line.hasPrefix("#version")) { continue }
      merges.append(try Self.pair(line, "line \(i + 1)", file: mergesFile))
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

  /// `{"token": number, …}`
  static func numbers(
    _ json: JSONValue?, file: String
  ) throws(TokenizerError) -> [String: Int32] {
    guard let object = json?.object else {
      throw .corrupt(file: file, reason: "its vocabulary is not an object")
    }
    var numbers: [String: Int32] = [:]
    numbers.reserveCapacity(object.count)
    for (token, value) in object {
      guard let number = value.int, (0..<1 << 24).contains(number) else {
        throw .corrupt(
          file: file, reason: "the number of token \(token.debugDescription) is \(value)")
      }
      numbers[token] = Int32(number)
    }
    return numbers
  }

  /// The two tokens of `"left right"`.
  static func pair(
    _ text: Substring, _ place: String, file: String
  ) throws(TokenizerError) -> (left: Substring, right: Substring) {
    let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw .corrupt(
        file: file, reason: "\(place), \(String(text).debugDescription), is not a pair of tokens")
    }
    return (Substring(parts[0]), Substring(parts[1]))
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
      self[keyPath: role] = .init(text: text, isNormalised: value["normalized"]?.bool ?? false)
    }
  }
}
