import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

/// What every registered guidance has in common.
@Suite struct GuidanceTests {
  /// Options with which each guidance does nothing.
  static let neutral: [String: OptionReader] = [
    "none": [:], "cfg": ["scale": 1], "cfg-interval": ["scale": 1], "cfg-adaptive": ["scale": 1],
    "cfg-rescale": ["scale": 1], "apg": ["scale": 1], "cfg-zero": ["scale": 1],
    "rcfg": ["scale": 1], "pag": ["scale": 0], "slg": ["scale": 0], "autoguidance": ["scale": 1],
    "classifier": ["scale": 0],
    // Its neutral element is the unconditional estimate; see below.
    "cfg++": ["scale": 0],
  ]

  @Test func everyGuidanceHasANeutralSetting() {
    #expect(Set(Self.neutral.keys) == Set(Registry<any Guidance>.builtin.names))
  }

  @Test(
    "a neutral setting is no guidance bit for bit",
    arguments: Registry<any Guidance>.builtin.names)
  func neutralSetting(name: String) throws {
    let bench = GuidanceBench()
    let guidance = try Registry<any Guidance>.builtin.make(
      name, options: try #require(Self.neutral[name]))
    let plain = try bench.run(NoGuidance(), positive: name == "cfg++" ? 2 : 0)
    let guided = try bench.run(guidance)
    #expect(guided.latent.scalars == plain.latent.scalars)
    #expect(guided.evaluations == bench.steps)
    #expect(guided.savedEvaluations == 0)
  }

  @Test("one batch or one pass after the other", arguments: Registry<any Guidance>.builtin.names)
  func passExecution(name: String) throws {
    let bench = GuidanceBench()
    let guidance = try Registry<any Guidance>.builtin.make(name)
    // Those that perturb have a model of their own to perturb.
    guard !["pag", "slg"].contains(name) else { return }
    let guide = GaussianMixture(
      [.init(1, mean: [0, 0], deviation: [1, 1])], schedule: bench.mixture.schedule)
    let batched = try bench.run(guidance, guide: guide)
    let sequential = try bench.run(guidance, guide: guide, passes: .sequential)
    #expect(mismatch(batched.latent, sequential.latent, relative: 1e-5, absolute: 1e-5) == nil)
    #expect(batched.evaluations == sequential.evaluations)
  }

  @Test(
    "bad options are refused",
    arguments: [
      "apg:momentum=1", "cfg-rescale:rescale=2", "cfg-interval:start=0.9,end=0.1",
      "slg:start=0.9,end=0.1", "pag:blocks=1.5", "pag:blocks=-1", "cfg-zero:zero-steps=-1",
      "rcfg:refresh=-1", "cfg:scale=nan", "cfg++:scale=-1", "cfg:unknown=1",
    ])
  func badOptions(text: String) throws {
    #expect(throws: OptionError.self) {
      try Registry<any Guidance>.builtin.make(try ComponentChoice(parsing: text))
    }
  }

  @Test("a missing second model is an error", arguments: ["autoguidance", "classifier"])
  func missingGuide(name: String) throws {
    let guidance = try Registry<any Guidance>.builtin.make(name)
    #expect(throws: SamplingError.self) { try GuidanceBench().run(guidance) }
  }

  @Test func intervalSavesEvaluations() throws {
    let bench = GuidanceBench()
    let result = try bench.run(IntervalGuidance(scale: 3, progress: 0...0.4))
    // Steps 0 to 3 of 8 have progress up to 0.375.
    #expect(result.evaluations == 12)
    #expect(result.savedEvaluations == 4)
    #expect(result.rounds == 8)
  }

  @Test func adaptiveGuidanceStopsForGood() throws {
    let bench = GuidanceBench()
    let plain = try bench.run(ClassifierFreeGuidance(scale: 3))
    let never = try bench.run(AdaptiveGuidance(scale: 3, threshold: 1.5))
    #expect(never.latent.scalars == plain.latent.scalars)
    #expect(never.savedEvaluations == 0)
    let atOnce = try bench.run(AdaptiveGuidance(scale: 3, threshold: -1))
    #expect(atOnce.evaluations == bench.steps + 1)
    #expect(atOnce.savedEvaluations == bench.steps - 1)
  }

  @Test func adaptiveGuidanceComparesNoise() throws {
    let bench = GuidanceBench()
    var combination = Combination(AdaptiveGuidance(scale: 3, threshold: 0.5), plan: bench.plan)
    let level = bench.mixture.schedule.level(at: 0.5)
    let step = StepInfo(index: 0, count: 8, evaluation: 0, level: level)
    let x = Tensor([1, 1], shape: [1, 2])
    // ε is x − α·clean: here (1, 0) and (0, 1) are 90 degrees apart, (1, 0) and (1, 0.5) 27.
    let far = [Tensor([0, 2], shape: [1, 2]), Tensor([2, 0], shape: [1, 2])]
    _ = combination(far, of: x, at: step)
    #expect(!combination.memory.hasStopped)
    _ = combination([far[0], Tensor([0, 1], shape: [1, 2])], of: x, at: step)
    #expect(combination.memory.hasStopped)
  }

  @Test func residualGuidanceEvaluatesOnce() throws {
    let bench = GuidanceBench()
    let once = try bench.run(ResidualGuidance(scale: 2))
    #expect(once.evaluations == bench.steps + 1)
    let often = try bench.run(ResidualGuidance(scale: 2, refresh: 1))
    #expect(
      often.latent.scalars == (try bench.run(ClassifierFreeGuidance(scale: 2))).latent.scalars)
    let known = try bench.run(
      ResidualGuidance(scale: 2, reference: Tensor(zeros: [bench.count, 2])))
    #expect(known.evaluations == bench.steps)
  }

  @Test func residualNoiseIsScaled() throws {
    let level = RectifiedFlow().level(at: 0.25)
    let kept = Tensor([0.5, -1], shape: [1, 2]), clean = Tensor([1, 2], shape: [1, 2])
    let x = Tensor([0.3, 0.7], shape: [1, 2])
    var combination = Combination(
      ResidualGuidance(scale: 3, delta: 0.8, reference: kept), plan: GuidanceBench().plan)
    let found = combination(
      [clean], of: x, at: StepInfo(index: 1, count: 8, evaluation: 1, level: level))
    let (alpha, sigma) = (level.alpha, level.sigma)
    let expected = (0..<2).map { i -> Float in
      let (x, c, u) = (
        Double(x.scalars[i]), Double(clean.scalars[i]), Double(kept.scalars[i])
      )
      let residual = 0.8 * (x - alpha * u) / sigma
      let noise = residual + 3 * ((x - alpha * c) / sigma - residual)
      return Float((x - sigma * noise) / alpha)
    }
    #expect(mismatch(found, expected, relative: 1e-5, absolute: 1e-5) == nil)
  }
}
