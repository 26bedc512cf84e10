/// Cuts text into the words that pairs are joined within: the contractions `'s 't 're 've 'm 'll 'd`,
/// runs of letters, single digits, and runs of anything else but white space, which is dropped.
///
/// - Source: Radford et al. 2021, the pattern of the published tokenizer:
///   `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`.
enum WordSplitter {
  private static let contractions: [[Unicode.Scalar]] = ["s", "t", "re", "ve", "m", "ll", "d"].map {
    ["'"] + $0.unicodeScalars
  }

  /// The words of `text` in order.
  static func words(_ text: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    var result: [ArraySlice<Unicode.Scalar>] = []
    var at = 0
    while at < text.count {
      let rest = text[at...]
      let word: ArraySlice<Unicode.Scalar>
      if let contraction = contractions.first(where: { rest.starts(with: $0) }) {
        word = rest.prefix(contraction.count)
      } else if text[at].isLetter {
        word = rest.prefix { $0.isLetter }
      } else if text[at].isNumber {
        word = rest.prefix(1)
      } else if text[at].isSpace {
        at += 1
        continue
      } else {
        word = rest.prefix { !$0.isLetter && !$0.isNumber && !$0.isSpace }
      }
      result.append(word)
      at = word.endIndex
    }
    return result
  }
}
