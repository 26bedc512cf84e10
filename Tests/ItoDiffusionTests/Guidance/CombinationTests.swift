import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// Each rule's formula, against loops over samples in double precision.
@Suite struct CombinationTests {
  let bench = GuidanceBench()
  let c = randomTensor([3, 2, 2, 4], seed: 1, offset: 0.2)
  let u = randomTensor([3, 2, 2, 4], seed: 2)
  let x = randomTensor([3, 2, 2, 4], seed: 3)
  let level = RectifiedFlow().level(at: 0.6)

  var step: StepInfo {
    StepInfo(
      index: 2, count: 8, evaluation: 2, level: level, next: RectifiedFlow().level(at: 0.5))
  }

  func combined<G: Guidance>(_ guidance: G, _ estimates: [Tensor]? = nil) throws -> Tensor {
    var combination = Combination(guidance, plan: bench.plan)
    return combination(estimates ?? [c, u], of: x, at: step)
  }

  @Test func rescaledHasTheContrastOfTheConditional() throws {
    let full = try combined(RescaledGuidance(scale: 5, rescale: 1))
    for (a, b) in zip(rows(full), rows(c)) {
      #expect(abs(deviation(a) - deviation(b)) < 1e-5)
    }
    let half = try combined(RescaledGuidance(scale: 5, rescale: 0.5))
    let plain = try combined(ClassifierFreeGuidance(scale: 5))
    #expect(mismatch(half, 0.5 * full + 0.5 * plain, relative: 1e-5, absolute: 1e-5) == nil)
  }

  private func deviation(_ values: [Float]) -> Double {
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    return
      (values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      / Double(values.count)).squareRoot()
  }

  @Test func projectedIsOrthogonalAndBounded() throws {
    let bounded = try combined(
      AdaptiveProjectedGuidance(scale: 4, eta: 0, norm: 2, momentum: 0))
    let update = rows(bounded - c), clean = rows(c), difference = rows(c - u)
    for k in update.indices {
      #expect(abs(dot(update[k], clean[k])) < 1e-4)
      // (scale − 1)·shrink·|Δ⊥|
      let length = dot(difference[k], difference[k]).squareRoot()
      let along = dot(difference[k], clean[k]) / dot(clean[k], clean[k]).squareRoot()
      let rest = (length * length - along * along).squareRoot() * min(1, 2 / length)
      #expect(abs(dot(update[k], update[k]).squareRoot() - 3 * rest) < 1e-4)
    }
  }

  @Test func projectedWithoutItsPartsIsClassifierFree() throws {
    let same = try combined(
      AdaptiveProjectedGuidance(scale: 4, eta: 1, norm: nil, momentum: 0))
    let plain = try combined(ClassifierFreeGuidance(scale: 4))
    #expect(mismatch(same, plain, relative: 1e-5, absolute: 1e-5) == nil)
  }

  @Test func projectedRemembersItsUpdate() throws {
    var combination = Combination(
      AdaptiveProjectedGuidance(scale: 2, eta: 1, norm: nil, momentum: -0.5), plan: bench.plan)
    _ = combination([c, u], of: x, at: step)
    let second = combination([c, u], of: x, at: step)
    // The second update is Δ − Δ/2.
    let expected = c + 0.5 * (c - u)
    #expect(mismatch(second, expected, relative: 1e-5, absolute: 1e-5) == nil)
  }

  @Test func zeroStarFitsTheUnconditionalVelocity() throws {
    let found = rows(try combined(ZeroStarGuidance(scale: 3)))
    let (xs, cs, us) = (rows(x), rows(c), rows(u))
    for k in xs.indices {
      let vc = zip(xs[k], cs[k]).map { $0 - $1 }, vu = zip(xs[k], us[k]).map { $0 - $1 }
      let fit = dot(vc, vu) / dot(vu, vu)
      for i in vc.indices {
        let velocity = fit * Double(vu[i]) + 3 * (Double(vc[i]) - fit * Double(vu[i]))
        #expect(abs(Double(found[k][i]) - (Double(xs[k][i]) - velocity)) < 1e-4)
      }
    }
  }

  @Test func zeroStarStandsStillAtFirst() throws {
    let start = randomTensor([bench.count, 2], seed: 5)
    var seen: [Tensor] = []
    let request = SamplingRequest(
      positive: bench.labelled(0), negative: bench.labelled(2), plan: bench.plan,
      solver: EulerSolver(), guidance: ZeroStarGuidance(scale: 3, zeroSteps: 2),
      noise: SamplingNoise(seed: 1))
    _ = try sample(start, with: bench.mixture, request, onStep: { _, x in seen.append(x) })
    #expect(mismatch(seen[1], start, relative: 1e-6, absolute: 1e-6) == nil)
    #expect(mismatch(seen[2], start, relative: 1e-3, absolute: 1e-3) != nil)
  }

  @Test func manifoldPutsUnconditionalNoiseBack() throws {
    let scale = 0.6
    let found = try bench.run(ManifoldGuidance(scale: scale)).latent
    let plan = bench.plan
    var x = randomTensor([bench.count, 2], seed: 5)
    let context = EvaluationContext()
    for index in 0..<plan.stepCount {
      let (current, next) = plan.step(index)
      let c = try bench.mixture.denoise(
        x, at: current, given: bench.labelled(0), context: context)
      let u = try bench.mixture.denoise(
        x, at: current, given: bench.labelled(2), context: context)
      let noise = (1 / current.sigma) * (x - current.alpha * u)
      x = next.alpha * (u + scale * (c - u)) + next.sigma * noise
    }
    #expect(mismatch(found, x, relative: 1e-4, absolute: 1e-4) == nil)
  }

  @Test func manifoldRefusesOtherSolvers() throws {
    #expect(throws: SamplingError.self) {
      try bench.run(ManifoldGuidance(scale: 0.6), solver: HeunSolver())
    }
  }

  @Test func autoguidanceLeavesTheWeakerModel() throws {
    let weak = GaussianMixture(
      [.init(1, mean: [0, 0], deviation: [2, 2])], schedule: bench.mixture.schedule)
    let found = try bench.run(Autoguidance(scale: 2.5), guide: weak)
    let plan = bench.plan
    var x = randomTensor([bench.count, 2], seed: 5)
    let context = EvaluationContext()
    for index in 0..<plan.stepCount {
      let (current, next) = plan.step(index)
      let strong = try bench.mixture.denoise(
        x, at: current, given: bench.labelled(0), context: context)
      let bad = try weak.denoise(x, at: current, given: bench.labelled(0), context: context)
      let clean = bad + 2.5 * (strong - bad)
      let left = next.sigma / current.sigma
      x = left * x + (next.alpha - current.alpha * left) * clean
    }
    #expect(mismatch(found.latent, x, relative: 1e-4, absolute: 1e-4) == nil)
    #expect(found.evaluations == 2 * bench.steps)
  }
}
