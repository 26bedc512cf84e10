import Testing

@testable import ItoPipelines

@Suite("Prompts in chunks")
struct PromptChunksTests {
  /// Words are numbers, a comma is 9.
  private func encode(_ text: String) -> [Int32] {
    text.split(separator: " ").map { $0 == "," ? 9 : Int32($0) ?? 8 }
  }

  private func rules(
    length: Int = 6, comma: Int32? = nil, overflow: PromptOverflow = .chunks
  ) -> PromptChunks.Rules {
    .init(length: length, begin: 100, end: 101, padding: 0, comma: comma, overflow: overflow)
  }

  private func chunks(_ parts: [PromptPart], _ rules: PromptChunks.Rules) -> [PromptChunks.Chunk] {
    PromptChunks(parts, rules: rules, encode: encode).chunks
  }

  @Test("a short prompt is one padded chunk, and so is none")
  func short() {
    let one = chunks([.text("1 2", weight: 1)], rules())
    #expect(one.map(\.tokens) == [[100, 1, 2, 101, 0, 0]])
    #expect(one[0].weights == [1, 1, 1, 1, 1, 1] && !one[0].isWeighted)
    #expect(chunks([], rules()).map(\.tokens) == [[100, 101, 0, 0, 0, 0]])
    #expect(chunks([.text("", weight: 1)], rules()).count == 1)
  }

  @Test("a chunk that is exactly full stays one; one more token makes two")
  func full() {
    #expect(
      chunks([.text("1 2 3 4", weight: 1)], rules()).map(\.tokens) == [[100, 1, 2, 3, 4, 101]])
    #expect(
      chunks([.text("1 2 3 4 5", weight: 1)], rules()).map(\.tokens)
        == [[100, 1, 2, 3, 4, 101], [100, 5, 101, 0, 0, 0]])
  }

  @Test("cut off, as diffusers does, where that is asked for")
  func truncated() {
    #expect(
      chunks([.text("1 2 3 4 5 6", weight: 1)], rules(overflow: .truncated)).map(\.tokens)
        == [[100, 1, 2, 3, 4, 101]])
  }

  @Test("weights follow their tokens")
  func weights() {
    let two = chunks([.text("1 2 3", weight: 2), .text("4 5", weight: 0.5)], rules())
    #expect(two[0].weights == [1, 2, 2, 2, 0.5, 1])
    #expect(two[1].weights == [1, 0.5, 1, 1, 1, 1])
  }

  @Test("a break closes a chunk, even an empty one")
  func breaks() {
    #expect(
      chunks([.text("1", weight: 1), .chunkBreak, .text("2", weight: 1)], rules()).map(\.tokens)
        == [[100, 1, 101, 0, 0, 0], [100, 2, 101, 0, 0, 0]])
    #expect(chunks([.chunkBreak], rules()).count == 1)
  }

  @Test("a phrase after a comma moves on as a whole, but not a long one")
  func commas() {
    #expect(
      chunks([.text("1 , 3 4 5 6", weight: 1)], rules(comma: 9)).map(\.tokens)
        == [[100, 1, 9, 101, 0, 0], [100, 3, 4, 5, 6, 101]])
    let long = "1 , " + (10..<40).map { "\($0)" }.joined(separator: " ")
    let cut = chunks([.text(long, weight: 1)], rules(length: 26, comma: 9))
    #expect(cut[0].tokens == [100, 1, 9] + (10..<32).map { Int32($0) } + [101])
  }

  @Test("filled up with empty chunks")
  func padding() {
    let rules = rules()
    let one = PromptChunks([.text("1", weight: 1)], rules: rules, encode: encode)
    let three = one.padded(to: 3, rules: rules)
    #expect(three.chunks.count == 3)
    #expect(three.chunks[2].tokens == [100, 101, 0, 0, 0, 0])
    #expect(three.padded(to: 2, rules: rules) == three)
  }
}
