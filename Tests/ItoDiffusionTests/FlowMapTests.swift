import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// A network that maps from one level to another, in closed form.
@Suite struct FlowMapTests {
  /// The flow map of one Gaussian as a mean velocity: told where the step ends, it is exact.
  struct GaussianFlowMap: Denoiser {
    let mean = 0.7, deviation = 0.4
    var schedule: any NoiseSchedule { RectifiedFlow() }

    func scale(_ level: NoiseLevel) -> Double {
      (level.alpha * level.alpha * deviation * deviation + level.sigma * level.sigma).squareRoot()
    }

    /// Where the probability flow takes `x`.
    func moved(_ x: Tensor, from level: NoiseLevel, to end: NoiseLevel) -> Tensor {
      (x - level.alpha * mean) * (scale(end) / scale(level)) + end.alpha * mean
    }

    func denoise(
      _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning,
      context: EvaluationContext
    ) throws(SamplingError) -> Tensor {
      guard let end = context.step?.next else { return x }
      // x_end = left·x + (α_end − α·left)·clean, solved for the estimate.
      let left = end.sigma / level.sigma
      return (moved(x, from: level, to: end) - left * x) / (end.alpha - level.alpha * left)
    }
  }

  @Test("any number of steps gives the same sample", arguments: [1, 2, 5])
  func exact(steps: Int) throws {
    let map = GaussianFlowMap()
    let plan = evenPlan(steps)
    let start = randomTensor([5, 3], seed: 1)
    let found = try sample(
      start, with: map,
      SamplingRequest(plan: plan, solver: FlowMap(), noise: SamplingNoise(seed: 1))
    ).latent
    let expected = map.moved(start, from: plan.levels[0], to: .clean)
    #expect(mismatch(found, expected, relative: 1e-5, absolute: 1e-5) == nil)
  }

  @Test func noiseKeepsTheDistribution() throws {
    let map = GaussianFlowMap()
    let plan = evenPlan(4)
    let found = try sample(
      randomTensor([100_000, 1], seed: 1), with: map,
      SamplingRequest(
        plan: plan, solver: FlowMap(gamma: 0.6),
        noise: SamplingNoise(NoiseSource(seed: 3, engine: .philox)))
    ).latent
    let moments = SampleMoments(found)
    #expect(abs(moments.mean[0] - map.mean) < 5 * moments.meanError[0])
    let variance = map.deviation * map.deviation
    #expect(abs(moments.covariance[0][0] - variance) < 5 * moments.covarianceError[0][0])
  }

  @Test func withoutNoiseItIsEulersMethodForAnOrdinaryModel() throws {
    let bench = GuidanceBench()
    let map = try bench.run(NoGuidance(), solver: FlowMap()).latent
    let euler = try bench.run(NoGuidance(), solver: EulerSolver()).latent
    #expect(mismatch(map, euler, relative: 1e-5, absolute: 1e-5) == nil)
  }
}

/// Steps of equal time on a straight flow, from pure noise to none.
func evenPlan(_ steps: Int) -> SamplingPlan {
  SamplingPlan(
    levels: (0...steps).map { RectifiedFlow().level(at: 1 - Double($0) / Double(steps)) },
    schedule: RectifiedFlow())
}
