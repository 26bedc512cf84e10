public import ItoTensors

/// Mean and covariance of the feature vectors of a set of pictures.
public struct FeatureStatistics: Sendable {
  /// Number of vectors.
  public let count: Int
  let mean: [Double]
  let covariance: SymmetricMatrix

  /// Statistics of `features`, `[pictures, features]`, at least two pictures. The covariance divides
  /// by one less than their number.
  public init(_ features: Tensor) {
    let (n, d) = (features.shape[0], features.shape[1])
    require(n >= 2, "feature statistics need two pictures, not \(n)")
    let values = features.scalars
    var mean = [Double](repeating: 0, count: d)
    for i in 0..<n { for j in 0..<d { mean[j] += Double(values[i * d + j]) } }
    for j in 0..<d { mean[j] /= Double(n) }
    var covariance = SymmetricMatrix(size: d)
    var row = [Double](repeating: 0, count: d)
    for i in 0..<n {
      for j in 0..<d { row[j] = Double(values[i * d + j]) - mean[j] }
      for j in 0..<d {
        let factor = row[j]
        for k in 0...j { covariance.values[j * d + k] += factor * row[k] }
      }
    }
    for j in 0..<d {
      for k in 0...j {
        let value = covariance[j, k] / Double(n - 1)
        covariance[j, k] = value
        covariance[k, j] = value
      }
    }
    count = n
    self.mean = mean
    self.covariance = covariance
  }

  /// Squared Fréchet (Wasserstein-2) distance between Gaussians with these means and covariances:
  /// `‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)`.
  ///
  /// Biased upward by finite samples, the more the fewer: compare equal numbers of pictures.
  ///
  /// - Source: Heusel et al. 2017, *GANs Trained by a Two Time-Scale Update Rule*, arXiv:1706.08500, §4.
  public func frechetDistance(to other: FeatureStatistics) -> Double {
    require(
      mean.count == other.mean.count,
      "Fréchet distance between \(mean.count) and \(other.mean.count) features")
    let gap = zip(mean, other.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    // tr (Σ₁Σ₂)^½ = tr (Σ₁^½ Σ₂ Σ₁^½)^½, and the latter is symmetric.
    let product = covariance.squareRoot().conjugating(other.covariance)
    let cross = product.eigen().values.reduce(0) { $0 + ($1 > 0 ? $1.squareRoot() : 0) }
    return gap + covariance.trace + other.covariance.trace - 2 * cross
  }
}
