/// Byte-pair encoding of one word: its symbols are joined pair by pair, the earliest learned pair first.
///
/// - Source: Sennrich et al. 2016, *Neural Machine Translation of Rare Words with Subword Units*,
///   arXiv:1508.07909, Algorithm 1.
struct BytePairEncoding: Sendable {
  /// Two neighbouring tokens.
  private struct Pair: Hashable {
    var left: Int32
    var right: Int32
  }

  /// What a pair becomes, and how early that was learned.
  private struct Merge {
    var rank: Int32
    var result: Int32
  }

  /// The number of every token.
  let numbers: [String: Int32]
  private let merges: [Pair: Merge]

  /// - Parameters:
  ///   - numbers: the number of every token.
  ///   - merges: pairs of tokens in the order they were learned.
  /// - Throws: the first pair of which a part or the whole is no token.
  init(
    numbers: [String: Int32], merges: [(left: Substring, right: Substring)]
  ) throws(UnknownToken) {
    self.numbers = numbers
    var table: [Pair: Merge] = [:]
    table.reserveCapacity(merges.count)
    for (rank, merge) in merges.enumerated() {
      func number(_ token: String) throws(UnknownToken) -> Int32 {
        guard let found = numbers[token] else { throw UnknownToken(merge: rank, token: token) }
        return found
      }
      let pair = Pair(
        left: try number(String(merge.left)), right: try number(String(merge.right)))
      // Of a pair that is listed twice the earlier counts.
      if table[pair] == nil {
        let whole = try number(String(merge.left + merge.right))
        table[pair] = Merge(rank: Int32(rank), result: whole)
      }
    }
    self.merges = table
  }

  /// A merge that names something outside the vocabulary.
  struct UnknownToken: Error {
    var merge: Int
    var token: String
  }

  /// Joins `symbols` as far as it goes. Takes time n·log n in the number of symbols.
  func joined(_ symbols: [Int32]) -> [Int32] {
    guard symbols.count > 1 else { return symbols }
    var tokens = symbols
    var next = Array(1...symbols.count), previous = Array(-1..<symbols.count - 1)
    var candidates = MinimumHeap<Candidate>()
    func consider(_ at: Int) {
      guard at >= 0, next[at] < tokens.count else { return }
      let pair = Pair(left: tokens[at], right: tokens[next[at]])
      if let merge = merges[pair] {
        candidates.push(
          Candidate(
            rank: merge.rank, at: at, left: pair.left, right: pair.right, result: merge.result))
      }
    }
    for at in symbols.indices { consider(at) }
    while let best = candidates.pop() {
      // A candidate is stale once one of its halves went into another token.
      let right = next[best.at]
      guard tokens[best.at] == best.left, right < tokens.count, tokens[right] == best.right else {
        continue
      }
      tokens[best.at] = best.result
      tokens[right] = Self.gone
      next[best.at] = next[right]
      if next[right] < tokens.count { previous[next[right]] = best.at }
      consider(previous[best.at])
      consider(best.at)
    }
    return tokens.filter { $0 != Self.gone }
  }

  private static let gone: Int32 = -1

  /// A pair that might be joined; of equal rank the leftmost comes first.
  private struct Candidate: Comparable {
    var rank: Int32
    var at: Int
    var left, right, result: Int32

    static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.at) < (b.rank, b.at) }
  }
}

/// A heap whose first element is the least.
private struct MinimumHeap<Element: Comparable> {
  private var elements: [Element] = []

  mutating func push(_ element: Element) {
    elements.append(element)
    var at = elements.count - 1
    while at > 0, elements[at] < elements[(at - 1) / 2] {
      elements.swapAt(at, (at - 1) / 2)
      at = (at - 1) / 2
    }
  }

  mutating func pop() -> Element? {
    guard let first = elements.first, let last = elements.popLast() else { return nil }
    guard !elements.isEmpty else { return first }
    elements[0] = last
    var at = 0
    while true {
      var least = at
      for child in [2 * at + 1, 2 * at + 2] where child < elements.count {
        if elements[child] < elements[least] { least = child }
      }
      if least == at { return first }
      elements.swapAt(at, least)
      at = least
    }
  }
}
