import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// The chain over samples and levels; its moments are among the stochastic solvers'.
@Suite struct DenoisingMCMCTests {
  let mixture = GaussianMixture(
    [
      .init(0.5, mean: [1, -0.5], deviation: [0.5, 1]),
      .init(0.5, mean: [-1, 0.5], deviation: [0.5, 0.2]),
    ],
    schedule: VarianceExploding())

  private func plan(_ ratios: [Double]) -> SamplingPlan {
    SamplingPlan(
      levels: ratios.map { VarianceExploding().level(noiseToSignal: $0) } + [.clean],
      schedule: VarianceExploding())
  }

  private func run(
    _ solver: any Solver, _ ratios: [Double], onEstimate: @escaping (NoiseLevel) -> Void = { _ in }
  ) throws -> Tensor {
    try sample(
      5 * randomTensor([8, 2], seed: 3), with: mixture,
      SamplingRequest(plan: plan(ratios), solver: solver, noise: SamplingNoise(seed: 4, count: 8)),
      onEstimate: { info, _, _ in onEstimate(info.level) }
    ).latent
  }

  @Test func withoutMovesItIsHeuns() throws {
    let ratios = [5, 2, 0.9, 0.4, 0.15, 0.05]
    let found = try run(DenoisingMCMC(moves: 0), ratios)
    let expected = try run(HeunSolver(variables: .automatic), ratios)
    #expect(mismatch(found, expected, relative: 0, absolute: 0) == nil)
  }

  /// Levels 0.9, 0.4 and 0.15 are visited in van der Corput's order, 1, 0, 2, 0: two up from the last, one
  /// evaluation at each, and downward Heun's two for each level between.
  @Test func theChainVisitsLevelsOfThePlan() throws {
    var told: [Double] = []
    _ = try run(DenoisingMCMC(moves: 4), [5, 2, 0.9, 0.4, 0.15, 0.05]) {
      told.append($0.noiseToSignal)
    }
    let heun = [5, 2, 2, 0.9, 0.9, 0.4, 0.4, 0.15]
    let chain = [0.4, 0.9, 0.9, 0.4, 0.4, 0.15, 0.15, 0.9, 0.9, 0.4, 0.4, 0.15]
    let rest = [0.15, 0.05, 0.05]
    let expected = heun + chain + rest
    #expect(told.count == expected.count)
    #expect(zip(told, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(told)")
  }

  @Test func aPlanWithoutALevelForTheChainIsRefused() throws {
    #expect(throws: SamplingError.self) { try run(DenoisingMCMC(), [5, 2, 0.05]) }
    #expect(throws: OptionError.self) {
      _ = try Registry<any Solver>.builtin.make("dmcmc", options: ["min": 2, "max": 1])
    }
  }
}
