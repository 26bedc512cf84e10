import ItoTensors

extension Tensor {
  /// Matrices with about the singular vectors of these and singular values near 1, by Newton and Schulz.
  ///
  /// From `X = A / ‖A‖`, `steps` times `X ← P·X` with `P = a·I + b·G + c·G²`, `G = XXᵀ`, and the
  /// coefficients that rise fastest from 0: a singular value s becomes `a·s + b·s³ + c·s⁵`. Five steps
  /// take every value above 0.01 of the norm to 0.68…1.14; smaller ones are multiplied by 3.4445 each time.
  ///
  /// Every P is a polynomial of the first G, so all of them commute and are symmetric: of such products
  /// half is computed. Oblong matrices are not multiplied in every step: the steps are taken by
  /// `G ← P·G·P` and `Q ← P·Q`, and the result is `Q·X`. Rounding of G grows by `a²` a step, so X is
  /// multiplied after five steps at the latest. Relative error of the whole, against double precision:
  /// 3e-6 for matrices of independent elements; with singular values down to 1e-7 of the largest, 5e-5
  /// for square and 1e-3 for oblong ones.
  ///
  /// - Parameter steps: 5 in Muon.
  /// - Shapes: `[count, rows, columns]`, float32; the result is of the same shape.
  /// - Cost: at 5 steps `20·m³` operations for a square matrix and `17·m³ + 3·m²·n` for others, m the
  ///   shorter side.
  /// - Source: Jordan et al. 2024, *Muon: An optimizer for hidden layers in neural networks*,
  ///   kellerjordan.github.io/posts/muon: coefficients (3.4445, −4.7750, 2.0315).
  func orthogonalized(steps: Int) -> Tensor {
    require(shape.rank == 3, "orthogonalized: \(shape) is not a list of matrices")
    let isTall = shape[1] > shape[2]
    var x = isTall ? transposed() : self
    let isOblong = x.shape[2] > x.shape[1]
    let norms = (x * x).sum(axes: [1, 2]).scalars.map { Double($0).squareRoot() }
    // A matrix of zeros stays one.
    x = .linearCombination(perSample: [(norms.map { 1 / ($0 + 1e-30) }, x)])
    var left = steps
    while left > 0 {
      let count = isOblong ? Swift.min(left, 5) : 1
      x = Self.polynomial(of: x.gramMatrices(), steps: count).matmul(x)
      left -= count
    }
    return isTall ? x.transposed() : x
  }

  /// What `steps` steps multiply a matrix by, whose products with itself are `gram`.
  private static func polynomial(of gram: Tensor, steps: Int) -> Tensor {
    func next(_ gram: Tensor) -> Tensor {
      gram.commutingProduct(gram, scale: 2.0315, plus: (-4.7750, gram), diagonal: 3.4445)
    }
    var (gram, factor) = (gram, next(gram))
    var total = factor
    for _ in 1..<steps {
      gram = factor.commutingProduct(gram).commutingProduct(factor)
      factor = next(gram)
      total = factor.commutingProduct(total)
    }
    return total
  }
}
