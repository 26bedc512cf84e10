import ItoComponents
import Testing

@testable import ItoTraining

@Suite struct LearningRateTests {
  private func rates(_ decay: any LearningRateDecay, warmup: Int = 4) -> [Double] {
    let rate = LearningRate(peak: 2, warmupSteps: warmup, totalSteps: 14, decay: decay)
    return (0...14).map { rate.rate(at: $0) }
  }

  @Test("The rate rises to its peak in the warm-up, whatever follows")
  func warmup() {
    for decay in [ConstantRate(), CosineRate(), LinearRate()] as [any LearningRateDecay] {
      #expect(Array(rates(decay)[..<5]) == [0.5, 1, 1.5, 2, 2])
      #expect(rates(decay, warmup: 0)[0] == 2)
    }
  }

  @Test("Constant, linear and cosine fall as they say")
  func shapes() {
    #expect(rates(ConstantRate())[14] == 2)
    #expect(rates(LinearRate())[9] == 1)
    #expect(rates(LinearRate())[14] == 0)
    #expect(abs(rates(LinearRate(final: 0.5))[14] - 1) < 1e-12)
    #expect(abs(rates(CosineRate())[9] - 1) < 1e-12)
    #expect(abs(rates(CosineRate())[14]) < 1e-12)
    let quarter = 2 * (1 + 0.5.squareRoot()) / 2
    #expect(abs(rates(CosineRate())[4 + 10 / 4] - quarter) < 0.2)
    #expect(abs(CosineRate(final: 0.2).factor(at: 0.25) - (0.2 + 0.8 * (quarter / 2))) < 1e-12)
    #expect(LinearRate(start: 0.5).factor(at: 0.5) == 1)
    #expect(LinearRate(start: 0.5).factor(at: 0.75) == 0.5)
    #expect(CosineRate(start: 1).factor(at: 1) == 1)
  }

  @Test(
    "After the last step the rate stays", arguments: Registry<any LearningRateDecay>.builtin.names)
  func beyond(name: String) throws {
    let decay = try Registry<any LearningRateDecay>.builtin.make(name)
    let rate = LearningRate(peak: 1, warmupSteps: 2, totalSteps: 10, decay: decay)
    #expect(rate.rate(at: 10) == rate.rate(at: 1000))
    for step in 2..<10 { #expect(rate.rate(at: step + 1) <= rate.rate(at: step)) }
  }
}
