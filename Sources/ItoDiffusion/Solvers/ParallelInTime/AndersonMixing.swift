import ItoTensors

/// Anderson's mixing of the rounds of a `TimeWindow`: the combination of their guesses for which the
/// combined residual is least, plus that residual.
///
/// - Source: Anderson 1965, *Iterative Procedures for Nonlinear Integral Equations*,
///   doi:10.1145/321296.321305; Walker & Ni 2011, doi:10.1137/10078356X, for the form used.
struct AndersonMixing {
  private let now: TimeWindow.Round
  private let before: [TimeWindow.Round]

  init(_ now: TimeWindow.Round, _ before: [TimeWindow.Round]) {
    self.now = now
    self.before = before
  }

  /// Better guesses for the steps from `first` on. The weights of a step come from the residuals of the
  /// steps up to it where the mixing is triangular, else from all. Steps that a round before did not
  /// have get their targets.
  func improved(from first: Int, isTriangular: Bool) -> [Tensor] {
    let count = now.guesses.count
    let batch = now.guesses[0].batchCount
    // Steps that all rounds know; later ones are new.
    let known = before.map(\.guesses.count).min().map { Swift.min($0, count) } ?? 0
    var systems = [LeastSquares](repeating: LeastSquares(before.count), count: batch)
    var weights: [[Double]] = []
    var byStep: [[[Double]]] = []
    for step in 0..<known {
      let differences = before.map {
        Tensor.linearCombination([(1, now.residuals[step]), (-1, $0.residuals[step])])
      }
      for (row, difference) in differences.enumerated() {
        let right = difference.sampleProducts(now.residuals[step])
        let products = differences[...row].map { difference.sampleProducts($0) }
        for sample in 0..<batch {
          systems[sample].add(row, products.map { $0[sample] }, right: right[sample])
        }
      }
      if isTriangular { byStep.append(systems.map { $0.solution() }) }
    }
    if !isTriangular { weights = systems.map { $0.solution() } }
    return (first..<Swift.max(first, count)).map { step in
      var terms: [(coefficients: [Double], tensor: Tensor)] = []
      func add(_ tensor: Tensor, _ coefficient: (Int) -> Double) {
        terms.append(((0..<batch).map(coefficient), tensor))
      }
      guard step < known, !before.isEmpty else {
        return Tensor.linearCombination([(1, now.guesses[step]), (1, now.residuals[step])])
      }
      let own = isTriangular ? byStep[step] : weights
      // x + r − Σ γ((x − x_h) + (r − r_h)), in one pass.
      add(now.guesses[step]) { sample in 1 - own[sample].reduce(0, +) }
      add(now.residuals[step]) { sample in 1 - own[sample].reduce(0, +) }
      for (row, round) in before.enumerated() {
        add(round.guesses[step]) { sample in own[sample][row] }
        add(round.residuals[step]) { sample in own[sample][row] }
      }
      return Tensor.linearCombination(perSample: terms)
    }
  }
}

/// The normal equations of a few unknowns.
private struct LeastSquares {
  private var matrix: [[Double]]
  private var right: [Double]

  init(_ count: Int) {
    matrix = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    right = [Double](repeating: 0, count: count)
  }

  /// Adds the products of column `row` with the columns up to it, and with the right side.
  mutating func add(_ row: Int, _ products: [Double], right product: Double) {
    for (column, value) in products.enumerated() {
      matrix[row][column] += value
      if column != row { matrix[column][row] += value }
    }
    right[row] += product
  }

  /// By Gaussian elimination with a ridge of 1e-6 of the diagonal, which keeps columns that are nearly
  /// alike from cancelling each other with large weights.
  func solution() -> [Double] {
    let n = right.count
    var (a, b) = (matrix, right)
    for i in 0..<n { a[i][i] += 1e-6 * matrix[i][i] + 1e-30 }
    for i in 0..<n {
      for j in i + 1..<Swift.max(i + 1, n) {
        let factor = a[j][i] / a[i][i]
        for k in i..<n { a[j][k] -= factor * a[i][k] }
        b[j] -= factor * b[i]
      }
    }
    for i in (0..<n).reversed() {
      for k in i + 1..<Swift.max(i + 1, n) { b[i] -= a[i][k] * b[k] }
      b[i] /= a[i][i]
    }
    return b
  }
}
