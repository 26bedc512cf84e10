/// A prompt's tokens in chunks of the length that a text encoder reads.
struct PromptChunks: Sendable, Hashable {
  /// One chunk, marks of beginning and end and padding included.
  struct Chunk: Sendable, Hashable {
    var tokens: [Int32]
    /// How much each token counts.
    var weights: [Float]
    /// Whether any token counts other than 1.
    var isWeighted: Bool { weights.contains { $0 != 1 } }
  }

  var chunks: [Chunk]

  /// What chunks are made with.
  struct Rules: Sendable {
    /// Tokens of a chunk: 77 for CLIP.
    var length: Int
    var begin: Int32, end: Int32, padding: Int32
    /// The token of a comma, where chunks may end.
    var comma: Int32?
    var overflow: PromptOverflow
    /// How many tokens back a comma may be for a full chunk to end at it.
    var reach = 20
  }

  /// Cuts `parts` into chunks; there is at least one.
  ///
  /// - Parameter encode: the tokens of a text, without marks.
  init(_ parts: [PromptPart], rules: Rules, encode: (String) -> [Int32]) {
    let room = rules.length - 2
    var current: (tokens: [Int32], weights: [Float]) = ([], [])
    var lastComma: Int?
    chunks = []

    func close(_ chunk: (tokens: [Int32], weights: [Float])) {
      let blank = room - chunk.tokens.count
      chunks.append(
        Chunk(
          tokens: [rules.begin] + chunk.tokens + [rules.end]
            + [Int32](repeating: rules.padding, count: blank),
          weights: [1] + chunk.weights + [Float](repeating: 1, count: blank + 1)))
    }

    loop: for part in parts {
      guard case .text(let text, let weight) = part else {
        close(current)
        (current, lastComma) = (([], []), nil)
        continue
      }
      for token in encode(text) {
        if current.tokens.count == room {
          if rules.overflow == .truncated { break loop }
          // A phrase that began shortly before moves on as a whole.
          let comma = token == rules.comma ? nil : lastComma
          let cut = comma.flatMap { room - $0 < rules.reach ? $0 : nil } ?? room
          close((Array(current.tokens[..<cut]), Array(current.weights[..<cut])))
          current = (Array(current.tokens[cut...]), Array(current.weights[cut...]))
          lastComma = nil
        }
        current.tokens.append(token)
        current.weights.append(Float(weight))
        if token == rules.comma { lastComma = current.tokens.count }
      }
    }
    if chunks.isEmpty || !current.tokens.isEmpty { close(current) }
  }

  /// The same with empty chunks at the end, `count` in all.
  func padded(to count: Int, rules: Rules) -> PromptChunks {
    let empty = PromptChunks([], rules: rules) { _ in [] }
    var result = self
    while result.chunks.count < count { result.chunks += empty.chunks }
    return result
  }
}
