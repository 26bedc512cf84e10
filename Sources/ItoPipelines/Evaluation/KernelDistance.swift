public import ItoTensors

/// Squared maximum mean discrepancy under the kernel `(x·y/d + 1)³`, unbiased.
public struct KernelDistance: Sendable, Hashable {
  /// Mean over random subsets.
  public let mean: Double
  /// Standard deviation over the subsets.
  public let deviation: Double

  /// The distance between two sets of features, `[pictures, features]`.
  ///
  /// - Parameters:
  ///   - subsets: how many random subsets are compared.
  ///   - size: pictures in a subset, at most what the smaller set has.
  /// - Source: Bińkowski et al. 2018, *Demystifying MMD GANs*, arXiv:1801.01401, §4.
  public init(
    between a: Tensor, and b: Tensor, subsets: Int = 50, size: Int = 500, seed: UInt64 = 0
  ) {
    require(
      a.shape.rank == 2 && b.shape.rank == 2 && a.shape[1] == b.shape[1] && a.shape[0] >= 2
        && b.shape[0] >= 2, "kernel distance between features \(a.shape) and \(b.shape)")
    let m = min(size, a.shape[0], b.shape[0])
    var noise = NoiseSource(seed: seed, engine: .philox)
    func subset(_ x: Tensor) -> Tensor {
      let chosen = noise.permutation(x.shape[0]).prefix(m).map { Int32($0) }
      return x.cast(to: .float32).embedding(Tensor(chosen, shape: [m]))
    }
    let scale = 1 / Double(a.shape[1])
    func kernelSum(_ x: Tensor, _ y: Tensor, skipsDiagonal: Bool) -> Double {
      let products = x.linear(y).scalars
      var sum = 0.0
      for i in 0..<m {
        for j in 0..<m where !(skipsDiagonal && i == j) {
          let k = Double(products[i * m + j]) * scale + 1
          sum += k * k * k
        }
      }
      return sum
    }
    let estimates = (0..<subsets).map { _ in
      let x = subset(a), y = subset(b)
      let within =
        kernelSum(x, x, skipsDiagonal: true) + kernelSum(y, y, skipsDiagonal: true)
      let pairs = Double(m * (m - 1))
      return within / pairs - 2 * kernelSum(x, y, skipsDiagonal: false) / Double(m * m)
    }
    let average = estimates.reduce(0, +) / Double(subsets)
    mean = average
    let spread = estimates.reduce(0) { $0 + ($1 - average) * ($1 - average) }
    deviation = (spread / Double(max(1, subsets - 1))).squareRoot()
  }
}
