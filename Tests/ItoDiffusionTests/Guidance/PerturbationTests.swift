import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

/// Guidance by what a network does with parts of it spoiled.
@Suite struct PerturbationTests {
  /// Three blocks over `[batch, tokens, 4]`; each adds self-attention and a bend.
  struct Network: Backbone {
    var attends = true

    func callAsFunction(
      _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
    ) -> Tensor {
      var hidden = x + 0.1 * conditioning.label!.cast(to: .float32).reshaped(to: [-1, 1, 1])
      for index in 0..<3 {
        hidden = context.run(.block(index: index, count: 3), on: hidden) { x in
          guard attends else { return x + (x + Double(index)).sin() }
          let heads = x.reshaped(to: [x.shape[0], x.shape[1], 2, 2])
          let keyValue = heads.sliced(0..<1, axis: 2)
          let attended = context.attention.attend(
            AttentionInputs(query: heads, key: keyValue, value: keyValue), block: index,
            step: context.step)
          return x + 0.5 * attended.reshaped(to: x.shape) + 0.2 * (x + Double(index)).sin()
        }
      }
      return hidden
    }

    mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {}
  }

  let plan = SamplingPlan(
    levels: [0.8, 0.6, 0.4, 0.2].map { RectifiedFlow().level(at: $0) }, schedule: RectifiedFlow())

  func run(
    _ guidance: any Guidance, attends: Bool = true, passes: PassExecution = .batched,
    steps: Int = 3
  ) throws -> SamplingResult {
    let denoiser = PreconditionedDenoiser(
      Network(attends: attends), schedule: RectifiedFlow(), parameterization: FlowPrediction())
    func label(_ value: Int32) -> Conditioning {
      Conditioning(label: Tensor([value, value], shape: [2]))
    }
    let plan = SamplingPlan(
      levels: Array(self.plan.levels.prefix(steps + 1)), schedule: self.plan.schedule)
    return try sample(
      randomTensor([2, 3, 4], seed: 4), with: denoiser,
      SamplingRequest(
        positive: label(1), negative: label(3), plan: plan, solver: EulerSolver(),
        guidance: guidance, noise: SamplingNoise(seed: 1), passes: passes))
  }

  /// `c + scale·(c − p)` of the first step, from two runs of one step with the pass alone.
  @Test(
    "away from the spoiled estimate",
    arguments: [
      Perturbation(identityAttention: .only([1])), Perturbation(identityAttention: .all),
      Perturbation(skippedBlocks: .only([0, 2])),
    ])
  func formula(perturbation: Perturbation) throws {
    struct Alone: Guidance {
      let perturbation: Perturbation
      func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
        [GuidancePass(PassID("spoiled"), .positive, perturbation: perturbation)]
      }
      func combine(
        _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
      ) -> Tensor { estimates[0] }
    }
    let guidance: any Guidance =
      perturbation.skippedBlocks == .none
      ? PerturbedAttentionGuidance(scale: 2, blocks: perturbation.identityAttention)
      : SkipLayerGuidance(scale: 2, blocks: perturbation.skippedBlocks, progress: 0...1)
    let clean = try run(NoGuidance(), steps: 1).latent
    let spoiled = try run(Alone(perturbation: perturbation), steps: 1).latent
    let guided = try run(guidance, steps: 1).latent
    // A step of Euler's is affine in the estimate, so the formula holds for its results.
    #expect(mismatch(guided, 3 * clean - 2 * spoiled, relative: 1e-5, absolute: 1e-5) == nil)
    #expect(mismatch(spoiled, clean, relative: 1e-3, absolute: 1e-3) != nil)
  }

  @Test func identityAttentionGivesTheValue() throws {
    let context = EvaluationContext()
    let query = randomTensor([1, 3, 4, 2], seed: 1), key = randomTensor([1, 3, 2, 2], seed: 2)
    let value = randomTensor([1, 3, 2, 2], seed: 3)
    let plain = context.attend(query: query, key: key, value: value, block: 0)
    context.perturbation = Perturbation(identityAttention: .only([0]))
    let inputs = AttentionInputs(query: query, key: key, value: value)
    let spoiled = context.attention.attend(inputs, block: 0, step: nil)
    // Heads 0 and 1 share the first key head, 2 and 3 the second.
    for token in 0..<3 {
      for head in 0..<4 {
        for i in 0..<2 {
          let expected = value.scalars[(token * 2 + head / 2) * 2 + i]
          #expect(spoiled.scalars[(token * 4 + head) * 2 + i] == expected)
        }
      }
    }
    #expect(context.perturbedCount == 1)
    #expect(context.attention.attend(inputs, block: 1, step: nil).scalars == plain.scalars)
    // Keys of another stream are no self-attention.
    let cross = AttentionInputs(
      query: query, key: randomTensor([1, 5, 2, 2], seed: 4),
      value: randomTensor([1, 5, 2, 2], seed: 5))
    _ = context.attention.attend(cross, block: 0, step: nil)
    #expect(context.perturbedCount == 1)
  }

  @Test("with classifier-free guidance", arguments: [PassExecution.batched, .sequential])
  func withClassifierFree(passes: PassExecution) throws {
    let both = try run(
      PerturbedAttentionGuidance(scale: 0.5, cfg: 2, blocks: .only([1])), passes: passes)
    #expect(both.evaluations == 9)
    let other = try run(
      PerturbedAttentionGuidance(scale: 0.5, cfg: 2, blocks: .only([1])),
      passes: passes == .batched ? .sequential : .batched)
    #expect(mismatch(both.latent, other.latent, relative: 1e-5, absolute: 1e-5) == nil)
    let cfg = try run(ClassifierFreeGuidance(scale: 2))
    #expect(mismatch(both.latent, cfg.latent, relative: 1e-4, absolute: 1e-4) != nil)
  }

  @Test func skipLayerActsOnItsPartOfTheRun() throws {
    // Progress is 0, 1/3 and 2/3.
    let result = try run(SkipLayerGuidance(scale: 2, blocks: .only([0]), progress: 0.1...0.5))
    #expect(result.evaluations == 4)
    #expect(result.savedEvaluations == 2)
  }

  @Test func blocksThatAreNotThereAreAnError() {
    #expect(throws: SamplingError.self) {
      try run(SkipLayerGuidance(scale: 2, blocks: .only([3]), progress: 0...1))
    }
    #expect(throws: SamplingError.self) {
      try run(PerturbedAttentionGuidance(scale: 2), attends: false)
    }
  }
}
