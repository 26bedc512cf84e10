import ItoComponents
import Testing

@testable import ItoTokenizers

private func repositoryFile(_ path: String) -> String {
  let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  return "/\(root)/\(path)"
}

@Suite("WordPiece")
struct WordPieceTests {
  let tiny = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "a", ",", "b"]

  /// Numbers that the `tokenizers` package gives with the same vocabulary (BertWordPieceTokenizer,
  /// lower case), for accents, CJK, control characters, emoji and words that are too long.
  @Test func agreesWithTheReference() throws {
    let tokenizer = try WordPieceTokenizer(
      vocabularyFile: repositoryFile("Models/emoji/text_encoder/vocab.txt"))
    let bytes = try readFile(repositoryFile("Tests/Fixtures/wordpiece.json"), limit: 1 << 20)
    let cases = try #require(try JSONValue.parse(bytes).array)
    #expect(cases.count > 20)
    for item in cases {
      let text = try #require(item["text"]?.string)
      let expected = (item["ids"]?.array ?? []).compactMap(\.int).map(Int32.init)
      #expect(tokenizer.encode(text) == expected, "\(text)")
    }
  }

  @Test func longestPiecesFirst() throws {
    let tokenizer = try WordPieceTokenizer(vocabulary: tiny)
    #expect(tokenizer.encode("Unaffable, b") == [2, 4, 5, 6, 8, 9, 3])
    #expect(tokenizer.encode("unaffablex") == [2, 1, 3])
    #expect(tokenizer.encode("") == [2, 3])
  }

  @Test func cutsLongTexts() throws {
    let tokenizer = try WordPieceTokenizer(vocabulary: tiny)
    #expect(tokenizer.encode("a b a b", limit: 4) == [2, 7, 9, 3])
    #expect(tokenizer.encode("a b", limit: 4) == [2, 7, 9, 3])
    #expect(tokenizer.encode("a b", limit: 1) == [3])
  }

  @Test func keepsCaseOnRequest() throws {
    let tokenizer = try WordPieceTokenizer(vocabulary: tiny + ["A", "É"], keepsCase: true)
    #expect(tokenizer.encode("A a É") == [2, 10, 7, 11, 3])
  }

  @Test func saysWhatIsMissing() {
    #expect(throws: TokenizerError.self) { try WordPieceTokenizer(vocabulary: ["a", "b"]) }
    #expect(throws: TokenizerError.self) { try WordPieceTokenizer(vocabularyFile: "/nowhere") }
  }
}
