public import ItoComponents
public import ItoTensors

/// Geometry-inspired time scheduling: jumps that stay near the trajectories of a fine run.
///
/// A run of Euler's method over the whole grid is the teacher. A jump from level i to j costs the distance
/// `√(mean((x'/αⱼ − xⱼ/αⱼ)²))` of Euler's jump x' from the teacher's xᵢ, and the cheapest path is found with
/// later costs weighted by `coefficient`.
/// - Cost: as many evaluations as the grid has levels, on the samples' batch.
/// - Source: Chen et al. 2024, *On the Trajectory Regularity of ODE-based Diffusion Sampling*,
///   arXiv:2405.11326, section 4.2 and algorithm 1.
public struct TrajectorySearch: LevelSearch, Configurable {
  /// Its name in the registry.
  public static let name = "gits"
  /// What other tools call it.
  public static let aliases = ["trajectory"]
  /// One line for tables.
  public static let summary = "jumps that stay near the trajectories of a fine run"

  /// Weight of later costs.
  public var coefficient: Double

  /// The published weight, 1.15, unless told otherwise.
  public init(coefficient: Double = 1.15) { self.coefficient = coefficient }

  /// Takes the option `coefficient`.
  public init(options: inout OptionReader) throws(OptionError) {
    coefficient = try options.double("coefficient", default: 1.15, in: 0.5...2)
  }

  /// The levels of runs of `counts` steps.
  public func levels(
    counts: [Int], of grid: [NoiseLevel], clean: Tensor, noise: inout SamplingNoise,
    denoise: DenoiseFunction
  ) throws(SamplingError) -> [Int: [NoiseLevel]] {
    guard let first = grid.first else { throw .invalidPlan("the grid has no levels") }
    var x = first.mix(clean: clean, noise: try noise.normal(clean.shape))
    var samples = [x]
    var estimates: [Tensor] = []
    for (current, next) in Swift.zip(grid, grid.dropFirst()) {
      let estimate = try denoise(x, current)
      x = try implicitStep(x, estimate: estimate, from: current, to: next, noise: &noise)
      estimates.append(estimate)
      samples.append(x)
    }
    let graph = LevelGraph(count: grid.count) { from, to in
      let (current, next) = (grid[from], grid[to])
      let kept = next.sigma / current.sigma
      let jump = Tensor.linearCombination([
        (kept, samples[from]), (next.alpha - current.alpha * kept, estimates[from]),
      ])
      return jump.meanSquare(from: samples[to]).squareRoot() / next.alpha
    }
    return try graph.levels(counts: counts, of: grid, discount: coefficient)
  }
}
