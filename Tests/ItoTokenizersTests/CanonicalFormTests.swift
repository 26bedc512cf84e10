import Testing

@testable import ItoTokenizers

private func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

@Suite("Canonical forms of Unicode")
struct CanonicalFormTests {
  @Test(
    "forms C and D of examples of the annex",
    arguments: [
      // Composition, singletons, several marks, marks to be reordered.
      ("e\u{301}", "\u{E9}", "e\u{301}"),
      ("\u{212B}", "\u{C5}", "A\u{30A}"),
      ("\u{1E69}", "\u{1E69}", "s\u{323}\u{307}"),
      ("s\u{307}\u{323}", "\u{1E69}", "s\u{323}\u{307}"),
      ("q\u{307}\u{323}", "q\u{323}\u{307}", "q\u{323}\u{307}"),
      // Blocked by a mark of the same class; a mark that starts a text.
      ("a\u{305}\u{301}", "a\u{305}\u{301}", "a\u{305}\u{301}"),
      ("\u{301}e", "\u{301}e", "\u{301}e"),
      // Excluded from composition; a compatibility ideograph.
      ("\u{915}\u{93C}", "\u{915}\u{93C}", "\u{915}\u{93C}"),
      ("\u{958}", "\u{915}\u{93C}", "\u{915}\u{93C}"),
      ("\u{F900}", "\u{8C48}", "\u{8C48}"),
      // Korean: two and three letters, and a syllable with a letter to come.
      ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}", "\u{1112}\u{1161}\u{11AB}"),
      ("\u{AC00}", "\u{AC00}", "\u{1100}\u{1161}"),
      ("\u{AC00}\u{11A8}", "\u{AC01}", "\u{1100}\u{1161}\u{11A8}"),
      ("plain text, \u{1F431}", "plain text, \u{1F431}", "plain text, \u{1F431}"),
    ])
  func examples(_ text: String, _ composed: String, _ decomposed: String) {
    #expect(CanonicalForm.composed(text.unicodeScalars) == scalars(composed))
    #expect(CanonicalForm.decomposed(text.unicodeScalars) == scalars(decomposed))
  }

  /// The standard library compares strings by canonical equivalence, with its own tables.
  @Test func everyCharacterStaysEquivalentAndFormsAreStable() {
    var wrong: [UInt32] = []
    for code in UInt32(0)..<0x30000 {
      guard let scalar = Unicode.Scalar(code) else { continue }
      let c = CanonicalForm.composed([scalar]), d = CanonicalForm.decomposed([scalar])
      func text(_ s: [Unicode.Scalar]) -> String {
        s.reduce(into: "") { $0.unicodeScalars.append($1) }
      }
      let isEquivalent = text(c) == String(scalar) && text(d) == String(scalar)
      let isStable = CanonicalForm.composed(d) == c && CanonicalForm.decomposed(c) == d
      if !isEquivalent || !isStable { wrong.append(code) }
    }
    #expect(wrong == [])
  }

  @Test func longRunsOfMarksTakeNoQuadraticTime() {
    let marks = (0..<50_000).map { Unicode.Scalar($0 % 2 == 0 ? 0x301 : 0x323) ?? " " }
    let result = CanonicalForm.decomposed(["a"] + marks)
    #expect(result.count == 50_001)
    #expect(result[1].value == 0x323 && result[50_000].value == 0x301)
  }
}
