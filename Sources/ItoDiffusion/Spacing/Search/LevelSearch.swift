public import ItoTensors

/// Finds levels for a model by looking at it: what its trajectories, its data or its bounds say.
///
/// One file each; what is found is a list of sigmas that `LevelList` takes (`custom:sigmas=[…]`).
public protocol LevelSearch: Sendable {
  /// The levels of runs of `counts` steps, noise falling, each from the first of `grid` to its last.
  ///
  /// - Parameters:
  ///   - grid: the levels to choose from, noise falling; the last may be without noise.
  ///   - clean: samples of what the model draws, `[samples, …]`.
  ///   - noise: unit normals for them, drawn as needed.
  ///   - denoise: the model's clean estimates.
  /// - Throws: `invalidPlan` where the grid has too few levels.
  func levels(
    counts: [Int], of grid: [NoiseLevel], clean: Tensor, noise: inout SamplingNoise,
    denoise: DenoiseFunction
  ) throws(SamplingError) -> [Int: [NoiseLevel]]
}

extension LevelGraph {
  /// The levels of the cheapest paths.
  func levels(
    counts: [Int], of grid: [NoiseLevel], discount: Double = 1
  ) throws(SamplingError) -> [Int: [NoiseLevel]] {
    var result: [Int: [NoiseLevel]] = [:]
    for count in counts {
      guard let path = path(jumps: count, discount: discount) else {
        throw .invalidPlan(
          "\(count) steps out of a grid of \(grid.count) levels; use a finer grid or fewer steps")
      }
      result[count] = path.map { grid[$0] }
    }
    return result
  }
}

extension Tensor {
  /// Mean of the squares of the difference.
  func meanSquare(from other: Tensor) -> Double {
    let difference = Tensor.linearCombination([(1, self), (-1, other)])
    return Double((difference * difference).mean().item)
  }
}
