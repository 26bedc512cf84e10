import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// Guidance by a classifier's gradient.
@Suite struct ClassifierGuidanceTests {
  let bench = GuidanceBench()

  /// The mixture without labels.
  struct Unlabelled: Denoiser {
    let mixture: GaussianMixture
    var schedule: any NoiseSchedule { mixture.schedule }

    func denoise(
      _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning,
      context: EvaluationContext
    ) throws(SamplingError) -> Tensor {
      try mixture.denoise(x, at: level, given: Conditioning(), context: context)
    }
  }

  /// The exact `log p(component | x)` of two components.
  struct BayesClassifier: SampleClassifier {
    let mixture: GaussianMixture

    func logProbability(
      of x: Tensor, at level: NoiseLevel, given conditioning: Conditioning
    ) throws(SamplingError) -> Tensor {
      let parts = mixture.components.map { component -> Tensor in
        let mean = Tensor(component.mean.map { Float(level.alpha * $0) }, shape: [1, 2])
        let variance = component.deviation.map {
          level.alpha * level.alpha * $0 * $0 + level.sigma * level.sigma
        }
        let centred = x - mean
        let quadratic = (centred * centred / Tensor(variance.map { Float($0) }, shape: [1, 2]))
          .sum(axes: [1])
        let log = Tensor(scalar: component.weight * component.weight / variance[0] / variance[1])
          .log()
        return 0.5 * log - 0.5 * quadratic
      }
      let label = conditioning.label?.integers[0] ?? 0
      return parts[label] - (parts[0].exp() + parts[1].exp()).log()
    }
  }

  @Test func bayesClassifierMakesTheConditionalModel() throws {
    let guide = ClassifierGradient(
      BayesClassifier(mixture: bench.mixture), schedule: bench.mixture.schedule)
    let guided = try bench.run(
      ClassifierGuidance(scale: 1), guide: guide, denoiser: Unlabelled(mixture: bench.mixture),
      positive: 1)
    // The first step is from pure noise, where both estimates are those of the whole mixture.
    let first = bench.plan.levels[1]
    let start = bench.mixture.draw(bench.count, at: first, seed: 8)
    let plan = bench.plan
    let rest = SamplingPlan(levels: Array(plan.levels.dropFirst()), schedule: plan.schedule)
    func run(_ guidance: any Guidance, _ denoiser: some Denoiser) throws -> Tensor {
      try sample(
        start, with: denoiser,
        SamplingRequest(
          positive: bench.labelled(1), plan: rest, solver: EulerSolver(), guidance: guidance,
          noise: SamplingNoise(seed: 1), guide: guide)
      ).latent
    }
    let exact = try run(NoGuidance(), bench.mixture)
    let bayes = try run(ClassifierGuidance(scale: 1), Unlabelled(mixture: bench.mixture))
    #expect(mismatch(bayes, exact, relative: 2e-4, absolute: 2e-4) == nil)
    #expect(guided.latent.isFinite)
    #expect(guided.evaluations == 2 * bench.steps)
  }

  @Test func gradientThroughTheCleanEstimate() throws {
    struct Bend: Denoiser {
      var schedule: any NoiseSchedule { RectifiedFlow() }
      func denoise(
        _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning,
        context: EvaluationContext
      ) throws(SamplingError) -> Tensor {
        Tensor.linearCombination([(level.alpha, x), (0.3, (2 * x).sin())])
      }
    }
    let classifier = CleanSampleClassifier(Bend()) { clean in
      Tensor.concatenated([clean, 0.5 * clean.sin()], axis: 1)
    }
    let level = RectifiedFlow().level(at: 0.4)
    let x = randomTensor([bench.count, 2], seed: 11)
    let shift = try ClassifierGradient(classifier, schedule: RectifiedFlow()).denoise(
      x, at: level, given: bench.labelled(2), context: EvaluationContext())
    // Central differences of log p(2 | E[x₀ | x]), a class of four.
    let h: Float = 1e-2
    for index in 0..<x.shape.count {
      func value(_ delta: Float) throws -> Double {
        var values = x.scalars
        values[index] += delta
        return try classifier.logProbability(
          of: Tensor(values, shape: x.shape), at: level, given: bench.labelled(2)
        ).scalars.reduce(0) { $0 + Double($1) }
      }
      let slope = try (value(h) - value(-h)) / Double(2 * h)
      let expected = level.sigma * level.sigma / level.alpha * slope
      #expect(abs(Double(shift.scalars[index]) - expected) < 2e-3 * max(1, abs(expected)))
    }
  }

  @Test func aClassThatTheClassifierDoesNotKnowIsAnError() throws {
    let classifier = CleanSampleClassifier(bench.mixture) { $0 }
    #expect(throws: SamplingError.self) {
      try classifier.logProbability(
        of: randomTensor([bench.count, 2], seed: 1), at: RectifiedFlow().level(at: 0.4),
        given: bench.labelled(7))
    }
  }
}
