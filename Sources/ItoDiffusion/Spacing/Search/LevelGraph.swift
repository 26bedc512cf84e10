/// The cheapest way from the first of some levels to the last in a given number of jumps.
///
/// `V(j, k) = minᵢ cost(j, i) + discount·V(i, k − 1)`: a discount above 1 weighs later errors more, as they are
/// what earlier ones grow into.
/// - Cost: `count²·jumps` additions, after `count²/2` costs.
/// - Source: Watson et al. 2021, *Learning to Efficiently Sample from Diffusion Probabilistic Models*,
///   arXiv:2106.03802, algorithm 1; with a discount Chen et al. 2024 (GITS), arXiv:2405.11326, section 4.2.
struct LevelGraph {
  /// The cost of a jump from one level to a later one.
  private var costs: [[Double]]

  /// A graph of `count` levels.
  init(count: Int, cost: (_ from: Int, _ to: Int) -> Double) {
    costs = (0..<count).map { from in
      (0..<count).map { to in to > from ? cost(from, to) : .infinity }
    }
  }

  /// The levels that the cheapest path of `jumps` jumps visits, both ends included; nil when there are not
  /// as many levels, or no path has a finite cost.
  func path(jumps: Int, discount: Double = 1) -> [Int]? {
    let count = costs.count
    guard jumps > 0, jumps < count else { return nil }
    var values = costs.map { $0[count - 1] }
    var choices: [[Int]] = []
    for _ in 1..<max(jumps, 1) {
      var better = [Double](repeating: .infinity, count: count)
      var chosen = [Int](repeating: count - 1, count: count)
      for from in 0..<count - 1 {
        for to in (from + 1)..<count {
          let total = costs[from][to] + discount * values[to]
          if total < better[from] { (better[from], chosen[from]) = (total, to) }
        }
      }
      values = better
      choices.append(chosen)
    }
    guard values[0].isFinite else { return nil }
    var path = [0]
    for chosen in choices.reversed() { path.append(chosen[path[path.count - 1]]) }
    return path + [count - 1]
  }
}
