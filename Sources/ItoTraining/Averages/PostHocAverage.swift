#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// How an average of another length is put together from averages that were saved during a run.
///
/// Each saved average is the profile `(γ + 1)·τ^γ / t^(γ+1)` over the models of updates τ ≤ t. The sum of
/// saved ones whose profile is nearest, in the mean square, to the one wanted has the coefficients
/// `A⁻¹b`, `Aᵢⱼ = ∫pᵢpⱼ`, `bᵢ = ∫pᵢp`, all known in closed form.
///
/// - Source: Karras et al. 2024, arXiv:2312.02696, section 3.2 and appendix C.2, algorithm 3.
public struct PostHocAverage: Sendable {
  /// A saved average: the power of its profile, and the number of updates it has seen.
  public struct Snapshot: Sendable, Hashable {
    /// γ
    public var exponent: Double
    /// t
    public var updates: Double

    /// The average with power `exponent` after `updates` updates.
    public init(exponent: Double, updates: Double) {
      self.exponent = exponent
      self.updates = updates
    }

    /// The integral of the product of two profiles over the time that both have seen.
    func overlap(_ other: Snapshot) -> Double {
      let shared = min(updates, other.updates)
      let sum = exponent + other.exponent + 1
      // Powers of ratios, since t^γ itself may not fit a double.
      let ratios =
        pow(shared / updates, exponent + 1) * pow(shared / other.updates, other.exponent + 1)
      return (exponent + 1) * (other.exponent + 1) / sum * ratios / shared
    }
  }

  /// What each snapshot is multiplied by.
  public let coefficients: [Double]

  /// Coefficients of `snapshots` for the average that `wanted` is.
  ///
  /// Snapshots later than it are not used, since they have seen models that it has not.
  public init(_ wanted: Snapshot, from snapshots: [Snapshot]) {
    let used = snapshots.indices.filter { snapshots[$0].updates <= wanted.updates }
    let matrix = used.map { i in used.map { snapshots[i].overlap(snapshots[$0]) } }
    let solution = solve(matrix, used.map { snapshots[$0].overlap(wanted) })
    var result = [Double](repeating: 0, count: snapshots.count)
    for (place, index) in used.enumerated() { result[index] = solution[place] }
    coefficients = result
  }
}

/// The x with `a·x = b`, by elimination with the largest pivot; components that `a` does not determine
/// are 0.
func solve(_ a: [[Double]], _ b: [Double]) -> [Double] {
  var rows = zip(a, b).map { $0 + [$1] }
  let n = b.count
  let scale = a.joined().reduce(0) { max($0, abs($1)) }
  var pivots: [Int] = []
  for column in 0..<n {
    let row = pivots.count
    guard let best = (row..<n).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
      abs(rows[best][column]) > 1e-13 * scale
    else { continue }
    rows.swapAt(row, best)
    for other in 0..<n where other != row {
      let factor = rows[other][column] / rows[row][column]
      if factor == 0 { continue }
      for k in column...n { rows[other][k] -= factor * rows[row][k] }
    }
    pivots.append(column)
  }
  var x = [Double](repeating: 0, count: n)
  for (row, column) in pivots.enumerated() { x[column] = rows[row][n] / rows[row][column] }
  return x
}
