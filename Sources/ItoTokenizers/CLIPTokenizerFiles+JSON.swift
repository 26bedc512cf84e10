import ItoComponents

extension CLIPTokenizerFiles {
  /// Everything from one `tokenizer.json`, as the library "tokenizers" writes it. What it describes must
  /// be the tokenizer implemented here; a setting that would give other tokens is refused.
  init(tokenizer file: String) throws(TokenizerError) {
    try self.init(tokenizer: try Self.json(file), origin: file)
  }

  /// See the other; `json` is the contents of `origin`.
  init(tokenizer json: JSONValue, origin file: String) throws(TokenizerError) {
    origin = file
    let check = TokenizerCheck(file: file)
    let model = json["model"] ?? nil
    try check.expect(model, "model", ["type": "BPE", "end_of_word_suffix": "</w>"])
    try check.expectNothing(
      model, "model", ["dropout", "continuing_subword_prefix", "byte_fallback", "ignore_merges"])
    let vocabulary = try Vocabulary(model["vocab"], file: file)
    let merges = model["merges"]?.array ?? []
    for (i, merge) in merges.enumerated() where Self.pair(merge) == nil {
      throw .corrupt(
        file: file, reason: "merge \(i + 1), \(merge.brief), is not a pair of tokens")
    }
    encoding = try Self.encoding(
      vocabulary, merges.count, merges.lazy.compactMap { Self.pair($0) }, file: file)
    try check.normalizer(json["normalizer"] ?? nil)
    try check.preTokenizer(json["pre_tokenizer"] ?? nil)
    if let unknown = model["unk_token"]?.string { settings.unknown = Mark(text: unknown) }
    for token in json["added_tokens"]?.array ?? [] {
      try readAdded(token, id: token["id"]?.int, file: file)
    }
  }

  /// The two tokens of `"left right"` or `["left", "right"]`, nil when it is neither.
  private static func pair(_ merge: JSONValue) -> (left: String, right: String)? {
    if let text = merge.string { return pair(text) }
    guard let left = merge[0]?.string, let right = merge[1]?.string else { return nil }
    return (left, right)
  }

  /// Takes in a token that is not taken apart.
  mutating func readAdded(
    _ token: JSONValue, id: Int?, file: String
  ) throws(TokenizerError) {
    guard let text = token["content"]?.string, let number = id, (0..<1 << 24).contains(number)
    else { throw .corrupt(file: file, reason: "an added token has no content or no number") }
    guard text.utf8.count <= Self.longestToken, added.count < Self.mostAdded else {
      throw .corrupt(
        file: file,
        reason: "it adds a token of more than \(Self.longestToken) bytes, or more than "
          + "\(Self.mostAdded) of them")
    }
    try TokenizerCheck(file: file).expectNothing(
      token, "added token \(quoted(text))", ["single_word", "lstrip", "rstrip"])
    let isNormalised = token["normalized"]?.bool ?? false
    added.insert(
      text, number: Int32(number),
      normalised: isNormalised ? CLIPTokenizer.normalised(text.unicodeScalars) : nil)
  }
}

/// Compares the parts of a `tokenizer.json` with what is implemented.
private struct TokenizerCheck {
  let file: String

  /// Every key must have the given value.
  func expect(
    _ json: JSONValue, _ place: String, _ values: [String: JSONValue]
  ) throws(TokenizerError) {
    for (key, value) in values.sorted(by: { $0.key < $1.key }) where json[key] != value {
      let found = json[key].map(\.brief) ?? "missing"
      throw .unsupported(
        file: file,
        reason: "\(place): \"\(key)\" is \(found), where a CLIP tokenizer has \(value)")
    }
  }

  /// No key may have a value other than null, false or an empty string.
  func expectNothing(
    _ json: JSONValue, _ place: String, _ keys: [String]
  ) throws(TokenizerError) {
    for key in keys {
      guard let found = json[key], ![.null, .bool(false), .string("")].contains(found) else {
        continue
      }
      throw .unsupported(
        file: file, reason: "\(place): \"\(key)\": \(found.brief) is not implemented")
    }
  }

  func normalizer(_ json: JSONValue) throws(TokenizerError) {
    let parts = json["normalizers"]?.array ?? []
    guard json["type"] == "Sequence", parts.count == 3 else {
      throw .unsupported(file: file, reason: "its normalizer is not that of CLIP")
    }
    try expect(parts[0], "normalizer 1", ["type": "NFC"])
    try expect(
      parts[1], "normalizer 2",
      ["type": "Replace", "pattern": ["Regex": "\\s+"], "content": " "])
    try expect(parts[2], "normalizer 3", ["type": "Lowercase"])
  }

  /// The pattern of `WordSplitter`. Newer files put the special tokens before it, which are found
  /// earlier anyway.
  private static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
  private static let marks = #"<\|startoftext\|>|<\|endoftext\|>|"#

  func preTokenizer(_ json: JSONValue) throws(TokenizerError) {
    let parts = json["pretokenizers"]?.array ?? []
    guard json["type"] == "Sequence", parts.count == 2 else {
      throw .unsupported(file: file, reason: "its pre-tokenizer is not that of CLIP")
    }
    try expect(
      parts[0], "pre-tokenizer 1", ["type": "Split", "behavior": "Removed", "invert": true])
    let pattern = parts[0]["pattern"]?["Regex"]?.string ?? ""
    guard [Self.pattern, Self.marks + Self.pattern].contains(pattern) else {
      throw .unsupported(
        file: file, reason: "its words are split by \(quoted(pattern)), not as in CLIP")
    }
    try expect(parts[1], "pre-tokenizer 2", ["type": "ByteLevel", "add_prefix_space": false])
  }
}
