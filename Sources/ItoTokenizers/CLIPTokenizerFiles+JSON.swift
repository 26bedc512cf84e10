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
    numbers = try Self.numbers(model["vocab"], file: file)
    for (i, merge) in (model["merges"]?.array ?? []).enumerated() {
      if let text = merge.string {
        merges.append(try Self.pair(text[...], "merge \(i + 1)", file: file))
      } else if let left = merge[0]?.string, let right = merge[1]?.string {
        merges.append((left[...], right[...]))
      } else {
        throw .corrupt(file: file, reason: "merge \(i + 1) is \(merge.kind), not a pair of tokens")
      }
    }
    try check.normalizer(json["normalizer"] ?? nil)
    try check.preTokenizer(json["pre_tokenizer"] ?? nil)
    if let unknown = model["unk_token"]?.string { settings.unknown = Mark(text: unknown) }
    for token in json["added_tokens"]?.array ?? [] {
      try readAdded(token, id: token["id"]?.int, file: file)
    }
  }

  /// Takes in a token that is not taken apart.
  mutating func readAdded(
    _ token: JSONValue, id: Int?, file: String
  ) throws(TokenizerError) {
    guard let text = token["content"]?.string, let number = id, (0..<1 << 24).contains(number)
    else { throw .corrupt(file: file, reason: "an added token has no content or no number") }
    try TokenizerCheck(file: file).expectNothing(
      token, "added token \(text.debugDescription)", ["single_word", "lstrip", "rstrip"])
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
      let found = json[key].map { "\($0)" } ?? "missing"
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
      throw .unsupported(file: file, reason: "\(place): \"\(key)\": \(found) is not implemented")
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
        file: file, reason: "its words are split by \(pattern.debugDescription), not as in CLIP")
    }
    try expect(parts[1], "pre-tokenizer 2", ["type": "ByteLevel", "add_prefix_space": false])
  }
}
