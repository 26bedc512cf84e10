import ItoComponents

/// The tokenizer of BERT and its relatives: words and punctuation, cut into the longest known pieces.
///
/// Text is cleaned of control characters, CJK characters stand alone, upper case and accents are dropped
/// (unless `keepsCase`), and the pieces after a word's first are marked with `##`. A word with a part that
/// is not in the vocabulary, or of more than 100 characters, is the unknown token.
///
/// - Cost: linear in the text but for long words.
/// - Source: Wu et al. 2016, *Google's Neural Machine Translation System*, arXiv:1609.08144, section 4.1;
///   the greedy matching and cleaning of BERT: Devlin et al. 2018, arXiv:1810.04805.
public struct WordPieceTokenizer: Tokenizer {
  /// The pieces in the order of their numbers.
  public let vocabulary: [String]
  /// Whether upper case and accents are kept.
  public let keepsCase: Bool
  private let numbers: [String: Int32]
  private let begin: Int32, end: Int32, unknown: Int32

  private static let longestWord = 100

  /// A tokenizer of the given pieces.
  ///
  /// - Parameter file: what to call the vocabulary in messages.
  public init(
    vocabulary: [String], keepsCase: Bool = false, file: String = "vocabulary"
  ) throws(TokenizerError) {
    self.vocabulary = vocabulary
    self.keepsCase = keepsCase
    let numbers = Dictionary(
      vocabulary.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    func special(_ name: String) throws(TokenizerError) -> Int32 {
      guard let number = numbers[name] else {
        throw .corrupt(file: file, reason: "it has no entry \(name)")
      }
      return number
    }
    begin = try special("[CLS]")
    end = try special("[SEP]")
    unknown = try special("[UNK]")
    self.numbers = numbers
  }

  /// Reads `vocab.txt`, one piece a line.
  public init(vocabularyFile path: String, keepsCase: Bool = false) throws(TokenizerError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try readFile(path, limit: 1 << 26) } catch { throw .file(error) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .corrupt(file: path, reason: "it is not UTF-8 text")
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.last == "\r" ? line.dropLast() : line)
    }
    if lines.last == "" { lines.removeLast() }
    try self.init(vocabulary: lines, keepsCase: keepsCase, file: path)
  }

  /// The numbers of `text` between those of `[CLS]` and `[SEP]`.
  public func encode(_ text: String) -> [Int32] {
    [begin] + words(of: text).flatMap(pieces) + [end]
  }

  /// As `encode`, at most `limit` numbers, the last of them `[SEP]`; what is too long is cut off.
  public func encode(_ text: String, limit: Int) -> [Int32] {
    let all = encode(text)
    return all.count <= limit ? all : all.prefix(max(0, limit - 1)) + [end]
  }

  /// The cleaned text as words and single punctuation characters.
  func words(of text: String) -> [String] {
    var spaced: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars where !isDropped(scalar) {
      if isSpace(scalar) {
        spaced.append(" ")
      } else if isIdeograph(scalar) {
        spaced += [" ", scalar, " "]
      } else {
        spaced.append(scalar)
      }
    }
    var words: [String] = []
    for word in spaced.split(separator: " ") {
      var current = String.UnicodeScalarView()
      for scalar in plain(word) {
        if isPunctuation(scalar) {
          if !current.isEmpty { words.append(String(current)) }
          words.append(String(Character(scalar)))
          current = String.UnicodeScalarView()
        } else {
          current.append(scalar)
        }
      }
      if !current.isEmpty { words.append(String(current)) }
    }
    return words
  }

  /// Without case and accents.
  private func plain(_ word: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    if keepsCase { return Array(word) }
    let lower = word.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
    if lower.allSatisfy(\.isASCII) { return lower }
    return CanonicalForm.decomposed(lower).filter {
      $0.properties.generalCategory != .nonspacingMark
    }
  }

  private func pieces(of word: String) -> [Int32] {
    let scalars = Array(word.unicodeScalars)
    guard scalars.count <= Self.longestWord else { return [unknown] }
    var result: [Int32] = []
    var start = 0
    while start < scalars.count {
      var found: (number: Int32, end: Int)?
      for end in stride(from: scalars.count, to: start, by: -1) {
        var piece = start > 0 ? "##" : ""
        piece.unicodeScalars.append(contentsOf: scalars[start..<end])
        if let number = numbers[piece] {
          found = (number, end)
          break
        }
      }
      guard let found else { return [unknown] }
      result.append(found.number)
      start = found.end
    }
    return result
  }

  private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
      || scalar.properties.generalCategory == .spaceSeparator
  }

  private func isDropped(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value == 0 || scalar.value == 0xFFFD { return true }
    if scalar == "\t" || scalar == "\n" || scalar == "\r" { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse, .surrogate, .unassigned: return true
    default: return false
    }
  }

  private func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: return true
    default: break
    }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// The blocks that BERT calls Chinese.
  private func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default: return false
    }
  }
}
