import ItoCAllocations
import ItoComponents
import Testing

@testable import ItoTokenizers

/// A generator of random numbers that gives the same ones everywhere.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Damages small tokenizer files at random. Every one must be read or refused, and what was read must
/// encode and decode any text: never a crash.
@Suite("Tokenizer readers against damaged files")
struct TokenizerFuzzTests {
  private static let vocabulary = Array(
    #"""
    {"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "ab": 4, "ab</w>": 5, "Ã": 6, "Ã©</w>": 7, "©</w>": 8,
     "!</w>": 9, "<|startoftext|>": 10, "<|endoftext|>": 11}
    """#.utf8)
  private static let merges = Array("#version: 0.2\na b\na b</w>\nÃ ©</w>\n".utf8)
  private static let configuration = Array(
    #"""
    {"bos_token": {"content": "<|startoftext|>", "normalized": true}, "model_max_length": 77,
     "added_tokens_decoder": {"12": {"content": "<x>", "lstrip": false, "normalized": true}}}
    """#.utf8)
  private static let map = Array(##"{"pad_token": "!</w>", "unk_token": null}"##.utf8)
  private static let whole = Array(
    #"""
    {"added_tokens": [{"id": 10, "content": "<|startoftext|>", "normalized": false}, {"id": 12,
      "content": "<|endoftext|>", "normalized": true}], "normalizer": {"type": "Sequence",
      "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"},
      "content": " "}, {"type": "Lowercase"}]}, "pre_tokenizer": {"type": "Sequence",
      "pretokenizers": [{"type": "Split", "pattern": {"Regex":
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}, "behavior": "Removed",
      "invert": true}, {"type": "ByteLevel", "add_prefix_space": false}]}, "model": {"type": "BPE",
      "end_of_word_suffix": "</w>", "unk_token": "<|endoftext|>", "vocab": {"a": 0, "b": 1,
      "b</w>": 2, "ab</w>": 3, "<|startoftext|>": 10, "<|endoftext|>": 12},
      "merges": ["a b</w>"]}}
    """#.utf8)
  private static let pieces = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-1", "16777216", "9223372036854775807", "1e9",
    "null", "true", "\\ud83d\\udc31", "\u{301}", "\u{0}", " ", "\n", "\r", "</w>", "a b", "a",
    "\"\"",
    "normalized", "<|endoftext|>", "{\"content\":\"a\"}", "[[\"a\",\"b\"]]",
  ].map { Array($0.utf8) }

  private static func damaged(_ file: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = file
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let at = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where at < bytes.count: bytes[at] = .random(in: 0...255, using: &random)
      case 1 where at < bytes.count: bytes.remove(at: at)
      case 2: bytes.removeSubrange(at..<min(bytes.count, at + 9))
      case 3 where at < bytes.count:
        bytes.swapAt(at, .random(in: 0..<bytes.count, using: &random))
      default:
        bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
      }
    }
    return bytes
  }

  private static let texts = ["ab aB é <x> <|ENDOFTEXT|>", "", "\u{301}\u{0} b🐱<|endoftext|>"]

  /// Whether the files were read; what they make must not depend on anything but them.
  private func survives(
    _ excess: inout Int, fileSize: Int, _ read: () throws -> CLIPTokenizer
  ) -> Bool {
    let start = ito_allocations_begin()
    let read = try? read()
    // The files were read into memory, too.
    excess = max(excess, Int(ito_allocations_peak() - start) + fileSize - 4 * fileSize)
    guard var tokenizer = read else { return false }
    for text in Self.texts {
      let tokens = tokenizer.encode(text)
      #expect(tokens.first == tokenizer.startToken && tokens.last == tokenizer.endToken)
      #expect(tokenizer.encode(text, length: 5).count == 5)
      _ = tokenizer.text(of: tokens)
    }
    let added = tokenizer.add("<new>")
    #expect(tokenizer.vocabularySize == Int(added) + 1)
    _ = tokenizer.encode("x<NEW>ab")
    return true
  }

  @Test("120,000 damaged sets of files", arguments: 0..<4)
  func mutations(_ part: Int) {
    var random = SplitMix(state: UInt64(part))
    var accepted = 0
    var excess = Int.min
    for i in 0..<30_000 {
      let isWhole = i % 3 == 0
      let first = Self.damaged(isWhole ? Self.whole : Self.vocabulary, &random)
      let second = Self.damaged(Self.merges, &random)
      let third = Self.damaged(Self.configuration, &random)
      let fourth = Self.damaged(Self.map, &random)
      let size = first.count + (isWhole ? 0 : second.count) + third.count + fourth.count
      let isRead = survives(&excess, fileSize: size) {
        let json = try JSONValue.parse(first)
        var files =
          isWhole
          ? try CLIPTokenizerFiles(tokenizer: json, origin: "t")
          : try CLIPTokenizerFiles(vocabulary: json, of: "v", merges: second, of: "m")
        if i % 2 == 0 {
          let map = try JSONValue.parse(fourth)
          try files.readSettings(try JSONValue.parse(third), of: "c") {
            () throws(TokenizerError) in (map, "s")
          }
        }
        return try CLIPTokenizer(files)
      }
      if isRead { accepted += 1 }
    }
    #expect(excess <= 1 << 20)
    // Both ways must have been taken often.
    #expect(accepted > 2_000 && accepted < 28_000, "\(accepted)")
  }

  @Test("faults are named, with the file and the place")
  func messages() throws {
    func error(vocabulary: String = "{}", merges: String = "") throws -> String {
      let json = try JSONValue.parse(vocabulary)
      let error = try #require(throws: TokenizerError.self) {
        try CLIPTokenizer(
          CLIPTokenizerFiles(
            vocabulary: json, of: "vocab.json", merges: Array(merges.utf8), of: "merges.txt"))
      }
      return error.description
    }
    #expect(try error(vocabulary: "[]").contains("vocab.json"))
    #expect(try error(vocabulary: #"{"a": -1}"#).contains("\"a\""))
    #expect(try error(merges: "a b\na\n").contains("line 2"))
    #expect(try error().contains("<|startoftext|>"))
    let marks = #"{"<|startoftext|>": 0, "<|endoftext|>": 1}"#
    #expect(try error(vocabulary: marks, merges: "x y").contains("merge 1"))
    var json = try #require(try JSONValue.parse(Self.whole).object)
    json["normalizer"] = ["type": "BertNormalizer"]
    #expect(throws: TokenizerError.self) {
      try CLIPTokenizerFiles(tokenizer: .object(json), origin: "t")
    }
  }
}
