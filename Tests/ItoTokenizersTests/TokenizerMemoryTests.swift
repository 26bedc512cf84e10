import ItoCAllocations
import ItoComponents
import ItoTestSupport
import Testing

@testable import ItoTokenizers

/// Tokenizer files of several megabytes made to take much memory, and one of the published size.
@Suite("Memory of the tokenizer readers", .enabled(if: ito_allocations_counted()))
struct TokenizerMemoryTests {
  private static let size = 3 << 20

  private static func repeated(_ piece: String, separator: String = ",") -> String {
    repeatedText(piece, separator: separator, size: size)
  }

  /// The most that `read` allocates, the files it reads included.
  private func expect(_ name: String, _ fileSize: Int, _ read: () throws -> Void) {
    let start = ito_allocations_begin()
    var message = "read"
    do { try read() } catch { message = "\(error)" }
    let taken = Int(ito_allocations_peak() - start) + fileSize
    #expect(
      taken <= 4 * fileSize + 1 << 20, "\(name): \(taken) for \(fileSize), \(message.prefix(300))")
    #expect(message.utf8.count < 2000)
  }

  private static let marks = "\"<|startoftext|>\":0,\"<|endoftext|>\":1"

  static let pairs: [(name: String, vocabulary: String, merges: String)] = {
    let some = "{\(marks),\"a\":2,\"b\":3,\"ab\":4}"
    // Every token of three letters, made in the two ways there are.
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    let twos = letters.flatMap { a in letters.map { a + $0 } }
    let threes = twos.flatMap { a in letters.map { a + $0 } }
    let all = letters + twos + threes
    let made =
      twos.map { "\($0.first!) \($0.last!)" } + threes.map { "\($0.prefix(2)) \($0.suffix(1))" }
    return [
      ("many tokens", "{\(marks),\(repeated("\"#\":0"))}", ""),
      ("one pair again and again", some, repeated("a b", separator: "\n")),
      ("empty lines", some, repeated("", separator: "\n")),
      ("a long line", some, repeated("x", separator: "")),
      ("a long pair", some, "a " + repeated("x", separator: "")),
      ("a long token", "{\(marks),\"\(repeated("x", separator: ""))\":-1}", ""),
      ("a long number", "{\(marks),\"a\":[\(repeated("0"))]}", ""),
      ("spaces", some, repeated(" ", separator: "")),
      (
        "all that three letters make",
        "{\(marks),\(all.enumerated().map { "\"\($1)\":\($0 + 2)" }.joined(separator: ","))}",
        made.joined(separator: "\n")
      ),
    ]
  }()

  @Test("vocabulary and merges", arguments: pairs.indices)
  func vocabularies(_ number: Int) {
    let (name, vocabulary, merges) = Self.pairs[number]
    let (first, second) = (Array(vocabulary.utf8), Array(merges.utf8))
    expect(name, first.count + second.count) {
      let json = try JSONValue.parse(first)
      _ = try CLIPTokenizer(
        CLIPTokenizerFiles(vocabulary: json, of: "v", merges: second, of: "m"))
    }
  }

  private static func whole(vocab: String, merges: String, added: String = "") -> String {
    #"""
    {"added_tokens": [\#(added)], "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
      {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
      "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}, "behavior": "Removed",
      "invert": true}, {"type": "ByteLevel", "add_prefix_space": false}]}, "model": {"type": "BPE",
      "end_of_word_suffix": "</w>", "unk_token": "<|endoftext|>", "vocab": {\#(vocab)},
      "merges": [\#(merges)]}}
    """#
  }

  static let wholes: [(name: String, text: String)] = {
    let some = "\(marks),\"a\":2,\"b\":3,\"ab\":4"
    return [
      ("many tokens", whole(vocab: "\(marks),\(repeated("\"#\":0"))", merges: "")),
      ("one pair again and again", whole(vocab: some, merges: repeated("\"a b\""))),
      ("lists", whole(vocab: some, merges: repeated("[\"a\",\"b\"]"))),
      ("no pairs", whole(vocab: some, merges: "[\(repeated("0"))]")),
      (
        "added tokens",
        whole(vocab: some, merges: "", added: repeated("{\"id\":5,\"content\":\"#\"}"))
      ),
      (
        "normalised added tokens",
        whole(
          vocab: some, merges: "",
          added: repeated("{\"id\":5,\"content\":\"#\",\"normalized\":true}"))
      ),
      (
        "a long added token",
        whole(
          vocab: some, merges: "",
          added: "{\"id\":5,\"content\":\"\(repeated("é", separator: ""))\"}")
      ),
      (
        "a strange setting",
        whole(vocab: some, merges: "").replacing("\"BPE\"", with: "[\(repeated("0"))]")
      ),
    ]
  }()

  @Test("one file", arguments: wholes.indices)
  func wholeFiles(_ number: Int) {
    let (name, text) = Self.wholes[number]
    let bytes = Array(text.utf8)
    expect(name, bytes.count) {
      _ = try CLIPTokenizer(
        CLIPTokenizerFiles(tokenizer: try JSONValue.parse(bytes), origin: "t"))
    }
  }

  /// As many tokens and merges as CLIP's, of about their length.
  @Test("published sizes", arguments: [0, 1, 2])
  func published(_ kind: Int) throws {
    let letters = (0..<500).map { "\(UnicodeScalar(0x4E00 + $0)!)" }
    let pairs = (0..<48_000).map { (letters[$0 % 500], letters[$0 / 500 % 500]) }
    let tokens = letters + pairs.map { $0.0 + $0.1 }
    let vocab =
      Self.marks + "," + tokens.enumerated().map { "\"\($1)\": \($0 + 2)" }.joined(separator: ", ")
    let merges = pairs.map { "\($0.0) \($0.1)" }
    if kind == 0 {
      let (first, second) = (Array("{\(vocab)}".utf8), Array(merges.joined(separator: "\n").utf8))
      let start = ito_allocations_begin()
      let tokenizer = try CLIPTokenizer(
        CLIPTokenizerFiles(
          vocabulary: try JSONValue.parse(first), of: "v", merges: second, of: "m"))
      #expect(tokenizer.vocabularySize == tokens.count + 2)
      #expect(ito_allocations_peak() - start <= 5 * (first.count + second.count) / 2)
    } else {
      let list = kind == 1 ? merges.map { "\"\($0)\"" } : pairs.map { "[\"\($0.0)\", \"\($0.1)\"]" }
      let bytes = Array(Self.whole(vocab: vocab, merges: list.joined(separator: ",")).utf8)
      let start = ito_allocations_begin()
      let tokenizer = try CLIPTokenizer(
        CLIPTokenizerFiles(tokenizer: try JSONValue.parse(bytes), origin: "t"))
      #expect(tokenizer.vocabularySize == tokens.count + 2)
      #expect(ito_allocations_peak() - start <= 5 * bytes.count / 2)
    }
  }
}
