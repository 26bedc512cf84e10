/// The byte-level BPE tokenizer of CLIP's text encoders: Unicode form C, white space collapsed, lower
/// case, words, letters of bytes, pairs joined with `</w>` at the end of a word.
///
/// Gives what `CLIPTokenizer` of transformers gives, whose results are the reference of diffusers.
///
/// - Source: Radford et al. 2021, *Learning Transferable Visual Models From Natural Language
///   Supervision*, arXiv:2103.00020, §2.4; the byte alphabet is GPT-2's.
public struct CLIPTokenizer: Tokenizer {
  /// The marks at the beginning and end of a text, and what fills it up to a fixed length.
  public let startToken, endToken, padToken: Int32
  /// Tokens the text encoder takes at most, both marks included: 77.
  public let maximumLength: Int
  private let encoding: BytePairEncoding
  /// The token of every byte, inside a word and at its end.
  private let letters: [(inside: Int32, last: Int32)]
  private let unknown: Int32
  private var added: AddedTokens

  /// Reads `tokenizer.json`, or else `vocab.json` and `merges.txt`, in `folder`, and the settings in
  /// `tokenizer_config.json` and `special_tokens_map.json` where there are any.
  public init(folder: String) throws(TokenizerError) {
    let file = folder + "/tokenizer.json"
    var files: CLIPTokenizerFiles
    if let json = try CLIPTokenizerFiles.jsonIfThere(file) {
      files = try CLIPTokenizerFiles(tokenizer: json, origin: file)
    } else {
      files = try CLIPTokenizerFiles(
        vocabulary: folder + "/vocab.json", merges: folder + "/merges.txt")
    }
    try files.readSettings(folder: folder)
    try self.init(files)
  }

  /// Reads a vocabulary `{"token": number, …}` and its merges, a pair a line.
  public init(vocabulary: String, merges: String) throws(TokenizerError) {
    try self.init(CLIPTokenizerFiles(vocabulary: vocabulary, merges: merges))
  }

  /// Reads one `tokenizer.json`.
  public init(tokenizer file: String) throws(TokenizerError) {
    try self.init(CLIPTokenizerFiles(tokenizer: file))
  }

  init(_ files: CLIPTokenizerFiles) throws(TokenizerError) {
    var added = files.added
    let vocabulary = files.encoding.vocabulary
    func number(_ mark: CLIPTokenizerFiles.Mark) throws(TokenizerError) -> Int32 {
      guard let found = vocabulary[mark.text] ?? added.number(of: mark.text) else {
        throw .corrupt(
          file: files.origin, reason: "it has no token \(mark.text.debugDescription)")
      }
      added.insert(
        mark.text, number: found,
        normalised: mark.isNormalised ? Self.normalised(mark.text.unicodeScalars) : nil)
      return found
    }
    startToken = try number(files.settings.start)
    endToken = try number(files.settings.end)
    padToken = try number(files.settings.pad)
    unknown = try number(files.settings.unknown)
    self.added = added
    maximumLength = files.settings.maximumLength
    letters = ByteAlphabet.characters.map {
      (vocabulary[String($0)] ?? -1, vocabulary["\($0)</w>"] ?? -1)
    }
    encoding = files.encoding
  }

  /// Tokens in the vocabulary, those added since included.
  public var vocabularySize: Int {
    Int(max(encoding.vocabulary.largestNumber, added.largestNumber)) + 1
  }

  /// The mark of the beginning, the tokens of `text` of any length, the mark of the end.
  public func encode(_ text: String) -> [Int32] { [startToken] + tokens(in: text) + [endToken] }

  /// `encode` brought to `length` tokens: what is too long is cut before the mark of the end, what is
  /// too short is filled with `padToken`.
  ///
  /// - Parameter length: at least 2; `maximumLength` when nil.
  public func encode(_ text: String, length: Int?) -> [Int32] {
    let length = max(2, length ?? maximumLength)
    let inner = tokens(in: text).prefix(length - 2)
    let filling = [Int32](repeating: padToken, count: length - 2 - inner.count)
    return [startToken] + inner + [endToken] + filling
  }

  /// The tokens of `text` without marks, for prompts that are put together from parts.
  public func tokens(in text: String) -> [Int32] {
    var result: [Int32] = []
    for piece in added.split(text, normalising: Self.normalised) {
      switch piece {
      case .token(let number): result.append(number)
      case .text(let scalars):
        for word in WordSplitter.words(scalars) { result += tokens(ofWord: word) }
      }
    }
    return result
  }

  /// Form C, each run of white space one space, lower case.
  static func normalised(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in CanonicalForm.composed(text) {
      if scalar.isSpace {
        if result.last != " " { result.append(" ") }
      } else {
        result += scalar.properties.lowercaseMapping.unicodeScalars
      }
    }
    return result
  }

  private func tokens(ofWord word: ArraySlice<Unicode.Scalar>) -> [Int32] {
    let bytes = word.flatMap { UTF8.encode($0).map { Array($0) } ?? [] }
    let symbols = bytes.enumerated().map { i, byte in
      let letter = letters[Int(byte)]
      let number = i == bytes.count - 1 ? letter.last : letter.inside
      return number < 0 ? unknown : number
    }
    return encoding.joined(symbols)
  }

  /// Makes `token` known as a whole that is not taken apart, such as the name of a textual inversion;
  /// upper and lower case are the same. Returns its number, which follows the last; a token that is
  /// known keeps its own.
  public mutating func add(_ token: String) -> Int32 {
    let known = encoding.vocabulary[token] ?? added.number(of: token)
    let number = known ?? Int32(vocabularySize)
    added.insert(token, number: number, normalised: Self.normalised(token.unicodeScalars))
    return number
  }

  /// The text that `tokens` stand for, without marks and filling: what the model saw of a prompt.
  public func text(of tokens: some Sequence<Int32>) -> String {
    let tokens = Array(tokens)
    let names = encoding.vocabulary.texts(of: Set(tokens))
    var bytes: [UInt8] = []
    for token in tokens where token != startToken && token != endToken && token != padToken {
      guard var name = names[token] ?? added.text(of: token) else { continue }
      let endsWord = name.hasSuffix("</w>")
      if endsWord { name.removeLast(4) }
      bytes += name.unicodeScalars.map { ByteAlphabet.bytes[$0] ?? UInt8(ascii: "?") }
      if endsWord { bytes.append(UInt8(ascii: " ")) }
    }
    if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
