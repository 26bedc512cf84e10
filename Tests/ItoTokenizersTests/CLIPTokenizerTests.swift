import ItoComponents
import Testing

@testable import ItoTokenizers

/// Files beside the tests, and those beside the repository where there are any.
private let fixtures: String = {
  let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  return "/\(root)/Tests/Fixtures/clip_tokenizer"
}()
private let published: String? = {
  let parent = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
  let folder = "/\(parent)/shared/reference/fixtures/pipelines"
  return (try? readFile(folder + "/clip_tokenizer/expected.json")) == nil ? nil : folder
}()

@Suite("CLIP tokenizer")
struct CLIPTokenizerTests {
  /// From either kind of file, without the settings beside them, in which the filling is `!`.
  private func tokenizer(oneFile: Bool = false) throws -> CLIPTokenizer {
    oneFile
      ? try CLIPTokenizer(tokenizer: fixtures + "/tokenizer.json")
      : try CLIPTokenizer(vocabulary: fixtures + "/vocab.json", merges: fixtures + "/merges.txt")
  }

  @Test("tokens of many texts equal the reference's", arguments: [false, true])
  func reference(_ oneFile: Bool) throws {
    let tokenizer = try tokenizer(oneFile: oneFile)
    let cases = try JSONValue.parse(readFile(fixtures + "/expected.json")).array ?? []
    #expect(cases.count > 100)
    for example in cases {
      let text = try #require(example["text"]?.string)
      let expected = try #require(example["ids"]?.array).compactMap(\.int).map(Int32.init)
      #expect(tokenizer.encode(text) == expected, "\(text.debugDescription)")
    }
  }

  @Test("the published vocabulary, padded and not", .enabled(if: published != nil))
  func vocabulary() throws {
    let folder = try #require(published)
    let json = try JSONValue.parse(readFile(folder + "/clip_tokenizer/expected.json"))
    let prompts = try #require(json["prompts"]?.array).compactMap(\.string)
    for name in ["clip_tokenizer", "sdxl_euler/tokenizer"] {
      let tokenizer = try CLIPTokenizer(folder: "\(folder)/\(name)")
      #expect(tokenizer.vocabularySize == 49408 && tokenizer.maximumLength == 77)
      for (i, prompt) in prompts.enumerated() {
        func ids(_ key: String) -> [Int32] {
          (json[key]?[i]?.array ?? []).compactMap(\.int).map(Int32.init)
        }
        #expect(tokenizer.encode(prompt) == ids("unpadded"))
        #expect(tokenizer.encode(prompt, length: nil) == ids("input_ids"))
      }
    }
  }

  /// As transformers reads Stable Diffusion 2's files: `!` fills, and is a token of its own in texts.
  @Test func settingsBesideTheVocabularyCount() throws {
    let tokenizer = try CLIPTokenizer(folder: fixtures)
    #expect(tokenizer.padToken == 0)
    let expected: [Int32] = [1512, 71, 826, 334, 1002, 0, 0, 0, 320, 0, 321, 1513]
    #expect(tokenizer.encode("hello world!!! a!b") == expected)
    #expect(tokenizer.encode("hello world!!! a!b", length: 15) == expected + [0, 0, 0])
    #expect(tokenizer.encode("hello world!!! a!b", length: 5) == [1512, 71, 826, 334, 1513])
  }

  /// What transformers' `add_tokens` gives: case does not matter, and words are no bounds.
  @Test func addedTokensAreNotTakenApart() throws {
    var tokenizer = try tokenizer()
    #expect(tokenizer.add("<Cat-toy>") == 1514)
    #expect(tokenizer.add("My New") == 1515)
    #expect(tokenizer.add("<Cat-toy>") == 1514)
    #expect(tokenizer.vocabularySize == 1516)
    let expected: [Int32] = [1512, 320, 1514, 1515, 1514, 343, 1515, 344, 1513]
    #expect(tokenizer.encode("a <cat-toy> my new <Cat-toy> xMy Newy") == expected)
  }

  @Test func decodingGivesTheNormalisedText() throws {
    let tokenizer = try tokenizer()
    #expect(tokenizer.text(of: tokenizer.encode("A  Café, 日本 🐱")) == "a café , 日本 🐱")
    #expect(tokenizer.text(of: []) == "")
  }
}
