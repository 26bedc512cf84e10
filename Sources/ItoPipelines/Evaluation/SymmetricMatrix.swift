/// A real symmetric matrix in double precision, for the statistics of features.
struct SymmetricMatrix: Sendable, Hashable {
  /// Rows and columns.
  let size: Int
  /// Row-major, `size` × `size`.
  var values: [Double]

  /// Zeros.
  init(size: Int) {
    self.size = size
    values = [Double](repeating: 0, count: size * size)
  }

  subscript(i: Int, j: Int) -> Double {
    get { values[i * size + j] }
    set { values[i * size + j] = newValue }
  }

  var trace: Double { (0..<size).reduce(0) { $0 + self[$1, $1] } }

  /// Eigenvalues, and eigenvectors as the columns of a row-major matrix, by cyclic Jacobi rotations.
  ///
  /// - Cost: about 8·size³ operations a sweep, fewer than ten sweeps.
  /// - Source: Golub & Van Loan, *Matrix Computations*, 4th ed., algorithm 8.5.3.
  func eigen() -> (values: [Double], vectors: [Double]) {
    var a = values
    let n = size
    var v = [Double](repeating: 0, count: n * n)
    for i in 0..<n { v[i * n + i] = 1 }
    let scale = a.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<64 {
      var off = 0.0
      for i in 0..<n { for j in 0..<i { off += 2 * a[i * n + j] * a[i * n + j] } }
      if off <= 1e-28 * scale { break }
      for p in 0..<(n - 1) {
        for q in (p + 1)..<n where a[p * n + q] != 0 {
          rotate(&a, &v, p, q)
        }
      }
    }
    return ((0..<n).map { a[$0 * n + $0] }, v)
  }

  /// Makes element (p, q) zero by a plane rotation, and records the rotation in `v`.
  private func rotate(_ a: inout [Double], _ v: inout [Double], _ p: Int, _ q: Int) {
    let n = size
    let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
    let sign: Double = theta < 0 ? -1 : 1
    let t = sign / (theta.magnitude + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot(), s = t * c
    for k in 0..<n {
      let (kp, kq) = (a[k * n + p], a[k * n + q])
      a[k * n + p] = c * kp - s * kq
      a[k * n + q] = s * kp + c * kq
    }
    for k in 0..<n {
      let (pk, qk) = (a[p * n + k], a[q * n + k])
      a[p * n + k] = c * pk - s * qk
      a[q * n + k] = s * pk + c * qk
    }
    for k in 0..<n {
      let (kp, kq) = (v[k * n + p], v[k * n + q])
      v[k * n + p] = c * kp - s * kq
      v[k * n + q] = s * kp + c * kq
    }
  }

  /// The positive square root; eigenvalues below zero, which rounding makes, count as zero.
  func squareRoot() -> SymmetricMatrix {
    let (eigenvalues, vectors) = eigen()
    let n = size
    var result = SymmetricMatrix(size: n)
    let roots = eigenvalues.map { $0 > 0 ? $0.squareRoot() : 0 }
    for i in 0..<n {
      for j in 0...i {
        var sum = 0.0
        for k in 0..<n { sum += vectors[i * n + k] * roots[k] * vectors[j * n + k] }
        result[i, j] = sum
        result[j, i] = sum
      }
    }
    return result
  }

  /// `self · other · self`, symmetric when both are.
  func conjugating(_ other: SymmetricMatrix) -> SymmetricMatrix {
    func product(_ a: [Double], _ b: [Double]) -> [Double] {
      var out = [Double](repeating: 0, count: size * size)
      for i in 0..<size {
        for k in 0..<size {
          let factor = a[i * size + k]
          for j in 0..<size { out[i * size + j] += factor * b[k * size + j] }
        }
      }
      return out
    }
    var result = SymmetricMatrix(size: size)
    result.values = product(product(values, other.values), values)
    return result
  }
}
