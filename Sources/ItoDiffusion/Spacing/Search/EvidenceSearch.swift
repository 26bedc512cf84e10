public import ItoComponents
public import ItoTensors

/// The levels for which the evidence lower bound of the short chain is greatest.
///
/// A step from level t to s costs `½·(SNR(s) − SNR(t))·E‖clean − D(x_t)‖²`, SNR = α²/σ², its term of the bound;
/// a last step to no noise and a first one from pure noise are not judged.
/// - Cost: as many evaluations as the grid has levels, on the samples' batch.
/// - Source: Watson et al. 2021, *Learning to Efficiently Sample from Diffusion Probabilistic Models*,
///   arXiv:2106.03802, section 3; the terms: Kingma et al. 2021, arXiv:2107.00630, equation 13.
public struct EvidenceSearch: LevelSearch, Configurable {
  /// Its name in the registry.
  public static let name = "elbo"
  /// What other tools call it.
  public static let aliases = ["evidence", "watson"]
  /// One line for tables.
  public static let summary = "the greatest evidence lower bound of the short chain"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The levels of runs of `counts` steps.
  public func levels(
    counts: [Int], of grid: [NoiseLevel], clean: Tensor, noise: inout SamplingNoise,
    denoise: DenoiseFunction
  ) throws(SamplingError) -> [Int: [NoiseLevel]] {
    var errors: [Double] = []
    for level in grid {
      guard level.sigma > 0 else {
        errors.append(0)
        continue
      }
      let x = level.mix(clean: clean, noise: try noise.normal(clean.shape))
      errors.append(try denoise(x, level).meanSquare(from: clean))
    }
    func ratio(_ level: NoiseLevel) -> Double { 1 / (level.noiseToSignal * level.noiseToSignal) }
    let graph = LevelGraph(count: grid.count) { from, to in
      // Every run ends with the least noisy level's step to no noise.
      if grid[to].sigma == 0 { return from == to - 1 ? 0 : .infinity }
      return (ratio(grid[to]) - ratio(grid[from])) / 2 * errors[from]
    }
    return try graph.levels(counts: counts, of: grid)
  }
}
