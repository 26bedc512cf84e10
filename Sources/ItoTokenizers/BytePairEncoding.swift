/// Byte-pair encoding of one word: its symbols are joined pair by pair, the earliest learned pair first.
///
/// - Source: Sennrich et al. 2016, *Neural Machine Translation of Rare Words with Subword Units*,
///   arXiv:1508.07909, Algorithm 1.
struct BytePairEncoding: Sendable {
  /// Two neighbouring tokens, what they become, and how early that was learned.
  private struct Merge {
    var left, right, rank, result: Int32
  }

  /// The number of every token.
  let vocabulary: Vocabulary
  /// Sorted by their pair. Hashing would find a pair a little sooner and take three times the memory.
  private let merges: [Merge]

  /// - Parameters:
  ///   - count: the number of merges.
  ///   - merges: pairs of tokens in the order they were learned.
  /// - Throws: the first pair of which a part or the whole is no token.
  init(
    vocabulary: Vocabulary, count: Int, merges: some Sequence<(left: String, right: String)>
  ) throws(UnknownToken) {
    var table: [Merge] = []
    table.reserveCapacity(count)
    for (rank, merge) in merges.enumerated() {
      func number(_ token: String) throws(UnknownToken) -> Int32 {
        guard let found = vocabulary[token] else { throw UnknownToken(merge: rank, token: token) }
        return found
      }
      table.append(
        Merge(
          left: try number(merge.left), right: try number(merge.right), rank: Int32(rank),
          result: try number(merge.left + merge.right)))
    }
    table.sort { ($0.left, $0.right, $0.rank) < ($1.left, $1.right, $1.rank) }
    self.vocabulary = vocabulary
    self.merges = table
  }

  /// The merge of a pair; of one that is listed twice the earlier counts.
  private func merge(_ left: Int32, _ right: Int32) -> Merge? {
    var low = 0, high = merges.count
    while low < high {
      let middle = (low + high) / 2
      if (merges[middle].left, merges[middle].right) < (left, right) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < merges.count, merges[low].left == left, merges[low].right == right else {
      return nil
    }
    return merges[low]
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
      if let merge = merge(tokens[at], tokens[next[at]]) {
        candidates.push(
          Candidate(
            rank: merge.rank, at: at, left: merge.left, right: merge.right, result: merge.result))
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
