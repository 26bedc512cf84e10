public import ItoComponents
public import ItoTensors

/// Align Your Steps: the levels for which a bound on the KL divergence between the true process and its
/// discretisation is least.
///
/// With s = σ/α and D the clean estimates along one forward path, a step from sⱼ to sᵢ adds
/// `∫ E‖D(x_s) − D(x_{sⱼ})‖²/s³ ds` from sᵢ to sⱼ, here by the trapezoidal rule over the grid; a last step to no
/// noise is not judged, nor the infinite part of one from pure noise.
/// - Cost: as many evaluations as the grid has levels, on the samples' batch.
/// - Source: Sabour et al. 2024, *Align Your Steps*, arXiv:2404.14507, theorem 3.2 and algorithm 1. Differs:
///   the least bound over the grid is found by a dynamic programme rather than by moving one level at a
///   time.
public struct AlignmentSearch: LevelSearch, Configurable {
  /// Its name in the registry.
  public static let name = "align-your-steps"
  /// What other tools call it.
  public static let aliases = ["ays"]
  /// One line for tables.
  public static let summary = "the least bound on the divergence from the true process"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The levels of runs of `counts` steps.
  public func levels(
    counts: [Int], of grid: [NoiseLevel], clean: Tensor, noise: inout SamplingNoise,
    denoise: DenoiseFunction
  ) throws(SamplingError) -> [Int: [NoiseLevel]] {
    let noisy = grid.filter { $0.sigma > 0 }
    let path = try forwardEstimates(noisy, clean, &noise, denoise)
    let ratios = grid.map(\.noiseToSignal)
    let graph = LevelGraph(count: grid.count) { from, to in
      // Every run ends with the least noisy level's step to no noise.
      if grid[to].sigma == 0 { return from == to - 1 ? 0 : .infinity }
      var sum = 0.0
      var previous = 0.0
      for k in (from + 1)...to {
        let s = ratios[k]
        let value = path[k].meanSquare(from: path[from]) / (s * s * s)
        // Pure noise is infinitely far in s and weighs nothing.
        if ratios[k - 1].isFinite { sum += (value + previous) / 2 * (ratios[k - 1] - s) }
        previous = value
      }
      return sum
    }
    return try graph.levels(counts: counts, of: grid)
  }
}

/// The clean estimates at every level along one forward path, each noisier level made from the one below.
func forwardEstimates(
  _ levels: [NoiseLevel], _ clean: Tensor, _ noise: inout SamplingNoise, _ denoise: DenoiseFunction
) throws(SamplingError) -> [Tensor] {
  var estimates: [Tensor] = []
  var below = NoiseLevel.clean
  var x = clean
  for level in levels.reversed() {
    let ratio = level.alpha / below.alpha
    let added = max(0, level.sigma * level.sigma - ratio * ratio * below.sigma * below.sigma)
    x = Tensor.linearCombination([(ratio, x), (added.squareRoot(), try noise.normal(x.shape))])
    estimates.append(try denoise(x, level))
    below = level
  }
  return estimates.reversed()
}
