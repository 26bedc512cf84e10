/// Tokens that stand for a whole string wherever it occurs and are never taken apart.
///
/// Those found in the text as it was written come first, then those found in the normalised rest;
/// at one place the longest wins.
struct AddedTokens: Sendable, Hashable {
  /// A part of a text.
  enum Piece: Equatable {
    /// One of the added tokens.
    case token(Int32)
    /// Normalised text between them.
    case text([Unicode.Scalar])
  }

  private struct Entry: Hashable, Sendable {
    var text: String
    var number: Int32
    /// Unicode scalars of the text.
    var length: Int

    init(text: String, number: Int32) {
      self.text = text
      self.number = number
      length = text.unicodeScalars.count
    }
  }

  private var written: [Entry] = []
  private var normalised: [Entry] = []
  private var names: [String: Int32] = [:]

  /// Number of tokens.
  var count: Int { names.count }
  /// The number of a token.
  func number(of token: String) -> Int32? { names[token] }
  /// The token of a number.
  func text(of number: Int32) -> String? { names.first { $0.value == number }?.key }
  /// The largest number, −1 without tokens.
  var largestNumber: Int32 { names.values.max() ?? -1 }

  /// Adds `token`, to be found in the text as written; with `normalised`, its own normalised form, in
  /// the normalised text. A token that is known is left as it is.
  mutating func insert(_ token: String, number: Int32, normalised form: [Unicode.Scalar]? = nil) {
    if token.isEmpty || names[token] != nil { return }
    names[token] = number
    if let form {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: form)
      normalised.append(Entry(text: String(text), number: number))
    } else {
      written.append(Entry(text: token, number: number))
    }
  }

  /// Cuts `text` at the added tokens.
  func split(
    _ text: String, normalising: (ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]
  ) -> [Piece] {
    Self.cut(Array(text.unicodeScalars), at: written).flatMap { piece -> [Piece] in
      switch piece {
      case .token: [piece]
      case .text(let scalars): Self.cut(normalising(scalars[...]), at: normalised)
      }
    }
  }

  private static func cut(_ text: [Unicode.Scalar], at entries: [Entry]) -> [Piece] {
    var result: [Piece] = []
    var start = 0, at = 0
    let initials = Set(entries.compactMap(\.text.unicodeScalars.first))
    while at < text.count {
      let match =
        initials.contains(text[at])
        ? entries.filter {
          $0.length > 0 && text[at...].starts(with: $0.text.unicodeScalars)
        }
        .max { $0.length < $1.length } : nil
      guard let match else {
        at += 1
        continue
      }
      if at > start { result.append(.text(Array(text[start..<at]))) }
      result.append(.token(match.number))
      at += match.length
      start = at
    }
    if start < text.count { result.append(.text(Array(text[start...]))) }
    return result
  }
}
