/// The markup of weights that stable-diffusion-webui introduced and other tools took over.
///
/// - `(x)` counts 1.1 times as much, `((x))` 1.21 times; `[x]` 1.1 times less.
/// - `(x:1.3)` counts 1.3 times as much; weights multiply where brackets nest.
/// - `\(`, `\)`, `\[`, `\]` and `\\` are the characters themselves.
/// - `BREAK` as a word of its own begins a new chunk.
/// - A bracket that is never closed acts to the end of the text; one that was never opened is text.
///
/// - Source: the "Attention/emphasis" section of the wiki of stable-diffusion-webui.
enum AttentionMarkup {
  private static let round = 1.1
  private static let square = 1 / 1.1

  private struct Piece {
    var text: String
    var weight = 1.0
    var isBreak = false
  }

  static func parts(of text: String) -> [PromptPart] {
    var pieces: [Piece] = []
    // Numbers of the pieces that each open bracket begins with.
    var openRound: [Int] = []
    var openSquare: [Int] = []

    func multiply(from start: Int, by factor: Double) {
      for i in start..<pieces.count { pieces[i].weight *= factor }
    }

    let letters = Array(text)
    var at = 0
    while at < letters.count {
      let letter = letters[at]
      if letter == "\\" {
        let escaped = at + 1 < letters.count ? letters[at + 1] : nil
        if let escaped, "()[]\\".contains(escaped) {
          pieces.append(Piece(text: String(escaped)))
          at += 2
          continue
        }
        // A backslash before anything else is dropped, as there.
        at += 1
        continue
      }
      if letter == "(" {
        openRound.append(pieces.count)
      } else if letter == "[" {
        openSquare.append(pieces.count)
      } else if letter == ":", !openRound.isEmpty, let (weight, end) = weight(letters, after: at) {
        multiply(from: openRound.removeLast(), by: weight)
        at = end
        continue
      } else if letter == ")", let start = openRound.popLast() {
        multiply(from: start, by: round)
      } else if letter == "]", let start = openSquare.popLast() {
        multiply(from: start, by: square)
      } else {
        var end = at + 1
        while end < letters.count, !"\\()[]:".contains(letters[end]) { end += 1 }
        append(String(letters[at..<end]), to: &pieces)
        at = end
        continue
      }
      at += 1
    }
    for start in openRound { multiply(from: start, by: round) }
    for start in openSquare { multiply(from: start, by: square) }
    return merged(pieces)
  }

  /// A number between a colon and a closing bracket, and the place after that.
  private static func weight(_ letters: [Character], after colon: Int) -> (Double, Int)? {
    var at = colon + 1
    func skipSpaces() { while at < letters.count, letters[at].isWhitespace { at += 1 } }
    skipSpaces()
    let start = at
    if at < letters.count, "+-".contains(letters[at]) { at += 1 }
    while at < letters.count, letters[at] == "." || letters[at].isASCII && letters[at].isNumber {
      at += 1
    }
    let number = Double(String(letters[start..<at]))
    skipSpaces()
    guard let number, number.isFinite, at < letters.count, letters[at] == ")" else { return nil }
    return (number, at + 1)
  }

  /// Adds `text`, with a break wherever it has the word `BREAK`.
  private static func append(_ text: String, to pieces: inout [Piece]) {
    var rest = Substring(text)
    var isFirst = true
    while let range = breakWord(in: rest) {
      if !isFirst { pieces.append(Piece(text: "BREAK", isBreak: true)) }
      pieces.append(Piece(text: trimmingEnd(rest[..<range.lowerBound])))
      rest = rest[range.upperBound...].drop(while: \.isWhitespace)
      isFirst = false
    }
    if !isFirst { pieces.append(Piece(text: "BREAK", isBreak: true)) }
    pieces.append(Piece(text: String(rest)))
  }

  private static func trimmingEnd(_ text: Substring) -> String {
    var text = text
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// Where `BREAK` stands as a word of its own.
  private static func breakWord(in text: Substring) -> Range<Substring.Index>? {
    let word = "BREAK"
    func isWord(_ character: Character?) -> Bool {
      character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
    }
    var start = text.startIndex
    while start < text.endIndex {
      let rest = text[start...]
      if rest.hasPrefix(word) {
        let end = text.index(start, offsetBy: word.count)
        let before = start > text.startIndex ? text[text.index(before: start)] : nil
        let after = end < text.endIndex ? text[end] : nil
        if !isWord(before), !isWord(after) { return start..<end }
      }
      start = text.index(after: start)
    }
    return nil
  }

  /// Neighbours of one weight joined, empty ones left out.
  private static func merged(_ pieces: [Piece]) -> [PromptPart] {
    var parts: [PromptPart] = []
    for piece in pieces {
      if piece.isBreak {
        parts.append(.chunkBreak)
      } else if piece.text.isEmpty {
        continue
      } else if case .text(let text, let weight)? = parts.last, weight == piece.weight {
        parts[parts.count - 1] = .text(text + piece.text, weight: weight)
      } else {
        parts.append(.text(piece.text, weight: piece.weight))
      }
    }
    return parts
  }
}
