import ItoComponents

/// The number of every token, kept as it was read: about as large as its file.
struct Vocabulary: Sendable {
  private let tokens: JSONObject
  /// The largest number; −1 without tokens.
  let largestNumber: Int32

  /// Reads `{"token": number, …}`, a part of `file`.
  init(_ json: JSONValue?, file: String) throws(TokenizerError) {
    guard let object = json?.object else {
      throw .corrupt(file: file, reason: "its vocabulary is not an object")
    }
    var largest: Int32 = -1
    for (token, value) in object {
      guard let number = value.int, (0..<1 << 24).contains(number) else {
        throw .corrupt(
          file: file, reason: "the number of token \(quoted(token)) is \(value.brief)")
      }
      largest = max(largest, Int32(number))
    }
    tokens = object
    largestNumber = largest
  }

  /// Number of tokens.
  var count: Int { tokens.count }

  /// The number of `token`, nil when it is none.
  subscript(token: String) -> Int32? { tokens[token]?.int.map { Int32(truncatingIfNeeded: $0) } }

  /// The tokens of `numbers`; of several with one number the first in the file.
  func texts(of numbers: Set<Int32>) -> [Int32: String] {
    var texts: [Int32: String] = [:]
    for (token, value) in tokens {
      guard let number = value.int.map({ Int32(truncatingIfNeeded: $0) }),
        numbers.contains(number), texts[number] == nil
      else { continue }
      texts[number] = token
    }
    return texts
  }
}
