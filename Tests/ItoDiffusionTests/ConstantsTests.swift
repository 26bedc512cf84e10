import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

@Suite("What stays as it is from step to step")
struct ConstantsTests {
  private func inRun() -> EvaluationContext {
    let context = EvaluationContext()
    context.step = StepInfo(
      index: 0, count: 2, evaluation: 0, level: RectifiedFlow().level(at: 0.5))
    return context
  }

  /// How often the square of each input is computed when `layers[i]` is given `inputs[i]` in turn.
  private func computed(
    _ context: EvaluationContext, _ calls: [(layer: LayerIdentity, input: Tensor)]
  ) -> Int {
    var count = 0
    for (layer, input) in calls {
      let squares = context.constants(of: layer, on: input) {
        count += 1
        return [$0 * $0]
      }
      #expect(squares.count == 1 && squares[0].scalars == (input * input).scalars)
    }
    return count
  }

  private let a = randomTensor([2, 3], seed: 1), b = randomTensor([2, 3], seed: 2)

  @Test("is computed once in a run by each layer, and again when it is another")
  func once() {
    let (first, second) = (LayerIdentity(), LayerIdentity())
    let context = inRun()
    #expect(computed(context, [(first, a), (second, a), (first, a), (second, a)]) == 2)
    #expect(computed(context, [(first, a), (first, b), (first, b), (first, a)]) == 2)
    var changed = a
    changed.update { $0[0] += 1 }
    #expect(computed(context, [(first, changed), (first, changed)]) == 1)
    // The same memory in another shape is another input.
    #expect(computed(context, [(first, changed.reshaped(to: [3, 2]))]) == 1)
  }

  @Test("is kept for each pass")
  func passes() {
    let layer = LayerIdentity(), context = inRun()
    var count = 0
    for _ in 0..<3 {
      for (pass, input) in [(PassID.conditional, a), (.unconditional, b)] {
        context.pass = pass
        count += computed(context, [(layer, input)])
      }
    }
    #expect(count == 2)
  }

  @Test("is computed every time outside of a run and in training")
  func always() {
    let layer = LayerIdentity()
    #expect(computed(EvaluationContext(), [(layer, a), (layer, a)]) == 2)
    let training = EvaluationContext(training: true)
    training.step = inRun().step
    #expect(computed(training, [(layer, a), (layer, a)]) == 2)
    let (tracked, _) = a.tracked()
    #expect(computed(inRun(), [(layer, tracked), (layer, tracked)]) == 2)
  }
}
