#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Gauss–Legendre quadrature: exact for polynomials of degree `2·points − 1`.
///
/// - Source: Golub & Welsch 1969, doi:10.1090/S0025-5718-69-99647-1; nodes by Newton's method.
struct Quadrature: Sendable {
  let nodes: [Double]
  let weights: [Double]

  /// 16 points: to double precision for what solvers integrate over a step.
  static let standard = Quadrature(points: 16)

  init(points: Int) {
    var nodes: [Double] = []
    var weights: [Double] = []
    for i in 0..<points {
      var x = cos(Double.pi * (Double(i) + 0.75) / (Double(points) + 0.5))
      var slope = 1.0
      for _ in 0..<60 {
        var (previous, current) = (1.0, x)
        for k in stride(from: 2, through: points, by: 1) {
          let n = Double(k)
          (previous, current) = (current, ((2 * n - 1) * x * current - (n - 1) * previous) / n)
        }
        slope = Double(points) * (x * current - previous) / (x * x - 1)
        let change = current / slope
        x -= change
        if abs(change) < 1e-16 { break }
      }
      nodes.append(x)
      weights.append(2 / ((1 - x * x) * slope * slope))
    }
    self.nodes = nodes
    self.weights = weights
  }

  /// `∫ f` from `start` to `end`.
  func integral(from start: Double, to end: Double, of f: (Double) -> Double) -> Double {
    let (middle, half) = ((start + end) / 2, (end - start) / 2)
    var sum = 0.0
    for (node, weight) in Swift.zip(nodes, weights) { sum += weight * f(middle + half * node) }
    return half * sum
  }
}

/// The Lagrange polynomial of knot `index` at `x`: 1 there, 0 at the other knots.
func lagrange(_ index: Int, of knots: [Double], at x: Double) -> Double {
  var product = 1.0
  for (k, knot) in knots.enumerated() where k != index {
    product *= (x - knot) / (knots[index] - knot)
  }
  return product
}

/// `∫ weight(v)·Lᵢ(v) dv` for each knot: the coefficients by which values at the knots enter the integral
/// of the polynomial through them.
func lagrangeIntegrals(
  knots: [Double], from start: Double, to end: Double, weight: (Double) -> Double = { _ in 1 }
) -> [Double] {
  knots.indices.map { index in
    Quadrature.standard.integral(from: start, to: end) { v in
      weight(v) * lagrange(index, of: knots, at: v)
    }
  }
}

/// The solution of a small linear system `rows · x = right`, by elimination with pivoting.
func solved(_ rows: [[Double]], _ right: [Double]) -> [Double] {
  var a = rows
  var b = right
  let n = b.count
  for column in 0..<n {
    let pivot = (column..<n).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
    a.swapAt(column, pivot)
    b.swapAt(column, pivot)
    for row in (column + 1)..<max(n, column + 1) {
      let factor = a[row][column] / a[column][column]
      for k in column..<n { a[row][k] -= factor * a[column][k] }
      b[row] -= factor * b[column]
    }
  }
  var x = [Double](repeating: 0, count: n)
  for row in (0..<n).reversed() {
    var sum = b[row]
    for k in (row + 1)..<max(n, row + 1) { sum -= a[row][k] * x[k] }
    x[row] = sum / a[row][row]
  }
  return x
}
