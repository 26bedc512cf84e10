import ItoTensors

extension Tensor {
  /// Matrices with about the singular vectors of these and singular values near 1, by Newton and Schulz.
  ///
  /// From `X = A / ‖A‖`, `steps` times `X ← (a·I + b·XXᵀ + c·(XXᵀ)²)·X`, with the coefficients that rise
  /// fastest from 0: a singular value s becomes `a·s + b·s³ + c·s⁵`. Five steps take every value above
  /// 0.01 of the norm to 0.68…1.14; smaller ones are multiplied by 3.4445 each time.
  ///
  /// - Parameter steps: 5 in Muon.
  /// - Shapes: `[count, rows, columns]`, float32; the result is of the same shape.
  /// - Cost: 15 products at 5 steps, `steps · (4·m²·n + 2·m³)` operations a matrix, m the shorter side.
  /// - Source: Jordan et al. 2024, *Muon: An optimizer for hidden layers in neural networks*,
  ///   kellerjordan.github.io/posts/muon: coefficients (3.4445, −4.7750, 2.0315).
  func orthogonalized(steps: Int) -> Tensor {
    require(shape.rank == 3, "orthogonalized: \(shape) is not a list of matrices")
    let isTall = shape[1] > shape[2]
    var x = isTall ? transposed() : self
    let (count, side) = (x.shape[0], x.shape[1])
    let norms = (x * x).sum(axes: [1, 2]).scalars.map { Double($0).squareRoot() }
    // A matrix of zeros stays one.
    x = .linearCombination(perSample: [(norms.map { 1 / ($0 + 1e-30) }, x)])
    let identity = Tensor.identity(side).broadcast(to: [count, side, side])
    for _ in 0..<steps {
      let gram = x.matmul(x, transposed: true)
      let polynomial = Tensor.linearCombination([
        (3.4445, identity), (-4.7750, gram), (2.0315, gram.matmul(gram)),
      ])
      x = polynomial.matmul(x)
    }
    return isTall ? x.transposed() : x
  }

  private static func identity(_ side: Int) -> Tensor {
    var values = [Float](repeating: 0, count: side * side)
    for i in 0..<side { values[i * side + i] = 1 }
    return Tensor(values, shape: [1, side, side])
  }
}
