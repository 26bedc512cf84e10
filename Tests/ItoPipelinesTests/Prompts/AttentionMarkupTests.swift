import ItoComponents
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Weights in prompts")
struct AttentionMarkupTests {
  private func check(
    _ text: String, _ expected: [(String, Double)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let parts = AttentionMarkup.parts(of: text)
    #expect(parts.count == expected.count, "\(parts)", sourceLocation: sourceLocation)
    for (part, (words, factor)) in zip(parts, expected) {
      guard case .text(let found, let weight) = part else {
        Issue.record("a break in '\(text)'", sourceLocation: sourceLocation)
        return
      }
      #expect(found == words, sourceLocation: sourceLocation)
      #expect(abs(weight - factor) < 1e-9, "\(words)", sourceLocation: sourceLocation)
    }
  }

  @Test("the examples of the grammar's documentation")
  func documented() {
    check("normal text", [("normal text", 1)])
    check("an (important) word", [("an ", 1), ("important", 1.1), (" word", 1)])
    check("(unbalanced", [("unbalanced", 1.1)])
    check("\\(literal\\]", [("(literal]", 1)])
    check("(unnecessary)(parens)", [("unnecessaryparens", 1.1)])
    check(
      "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
      [
        ("a ", 1), ("house", 1.573), (" ", 1.1), ("on", 1), (" a ", 1.1), ("hill", 0.55),
        (", sun, ", 1.1), ("sky", 1.4641), (".", 1.1),
      ])
  }

  @Test("colons, odd brackets and numbers that are none are text")
  func corners() {
    check("", [])
    check("a: b", [("a: b", 1)])
    check("a) b]", [("a) b]", 1)])
    check("(a:b)", [("a:b", 1.1)])
    check("(a:1.2.3)", [("a:1.2.3", 1.1)])
    check("(a: 1.2 )", [("a", 1.2)])
    check("(a:-1)", [("a", -1)])
    check("[a]", [("a", 1 / 1.1)])
    check("[a:0.5]", [("a:0.5", 1 / 1.1)])
    check("x \\\\ y \\z", [("x \\ y z", 1)])
    check("naïve (café:2) 日本", [("naïve ", 1), ("café", 2), (" 日本", 1)])
  }

  @Test("BREAK as a word begins a chunk, inside other words it does not")
  func breaks() {
    #expect(
      AttentionMarkup.parts(of: "a BREAK b")
        == [.text("a", weight: 1), .chunkBreak, .text("b", weight: 1)])
    #expect(
      AttentionMarkup.parts(of: "(a BREAK b:2)")
        == [.text("a", weight: 2), .chunkBreak, .text("b", weight: 2)])
    #expect(AttentionMarkup.parts(of: "BREAKFAST") == [.text("BREAKFAST", weight: 1)])
    #expect(AttentionMarkup.parts(of: "OUTBREAK") == [.text("OUTBREAK", weight: 1)])
    #expect(AttentionMarkup.parts(of: "BREAK") == [.chunkBreak])
  }

  @Test("weights multiply embeddings and the mean stays; at weight 1 nothing changes")
  func weighting() throws {
    let z = randomTensor([1, 4, 3], seed: 3) + 0.5
    let weights: [Float] = [1, 1.5, 0.5, 1]
    let result = WeightedPrompts().weighted(z, by: weights) { z }
    let scaled = z * Tensor(weights, shape: [1, 4, 1])
    let ratio = Double(z.mean().item / scaled.mean().item)
    #expect(mismatch(result, (ratio * scaled).scalars, absolute: 1e-6) == nil)
    #expect(abs(result.mean().item - z.mean().item) < 1e-6)
    let empty = randomTensor([1, 4, 3], seed: 4)
    let moved = InterpolatedPrompts().weighted(z, by: weights) { empty }
    // Weight 1 keeps a token, weight 0.5 is halfway to the empty prompt's.
    #expect(
      mismatch(moved.sliced(0..<1, axis: 1), z.sliced(0..<1, axis: 1).scalars, absolute: 1e-6)
        == nil)
    let half = Tensor.linearCombination([(0.5, z), (0.5, empty)]).sliced(2..<3, axis: 1)
    #expect(mismatch(moved.sliced(2..<3, axis: 1), half.scalars, absolute: 1e-6) == nil)
    #expect(
      InterpolatedPrompts().parts(of: "[a] (b:2)") == [
        .text("[a] ", weight: 1), .text("b", weight: 2),
      ])
  }

  @Test("random markup is read without an end or a crash")
  func fuzz() {
    var generator = SeededGenerator(seed: 11)
    let alphabet = Array("()[]:\\1.5 aBREAK,é\n")
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<24, using: &generator)
      let text = String((0..<count).map { _ in alphabet.randomElement(using: &generator) ?? " " })
      let isSound = AttentionMarkup.parts(of: text).allSatisfy {
        if case .text(let words, let weight) = $0 {
          !words.isEmpty && weight.isFinite
        } else {
          true
        }
      }
      if !isSound { Issue.record("'\(text)'") }
    }
  }
}

struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    // splitmix64
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
