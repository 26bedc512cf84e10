import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

private struct Part: Module {
  var weight: Tensor
  var frozen = Tensor([Float(1), 2], shape: [1, 2])
  var count = Tensor([Int32(1)], shape: [1])
  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.parameter("weight", &weight)
    try v.parameter("frozen", &frozen)
    try v.parameter("count", &count)
  }
}

@Suite struct WeightAverageTests {
  private func part(_ value: Double) -> Part {
    Part(weight: Tensor(repeating: value, shape: [3, 5]))
  }

  @Test(
    "The average follows as the formula says, with and without warm-up", arguments: [false, true])
  func follows(warmsUp: Bool) {
    var average = WeightAverage(
      part(1), profile: ExponentialProfile(decay: 0.7, warmsUp: warmsUp))
    var expected = 1.0
    for step in 0..<40 {
      let decay = warmsUp ? min(0.7, Double(1 + step) / Double(10 + step)) : 0.7
      #expect(average.currentDecay == decay)
      let value = Double(step % 5)
      expected = decay * expected + (1 - decay) * value
      average.absorb(part(value))
    }
    #expect(
      mismatch(average.model.weight, [Float](repeating: Float(expected), count: 15), relative: 1e-5)
        == nil)
    #expect(average.updateCount == 40)
  }

  @Test("A bfloat16 model is averaged in float32, from its masters")
  func masters() {
    let exact = Part(weight: randomTensor([3, 5], seed: 1))
    let model = exact.converted(to: .bfloat16)
    var average = WeightAverage(
      part(0), profile: ExponentialProfile(decay: 0.5, warmsUp: false))
    var memory = OptimizerMemory()
    memory.adoptMasters(from: exact, for: model)
    average.absorb(model, memory: memory)
    #expect(average.model.weight.dtype == .float32)
    #expect(mismatch(average.model.weight, (0.5 * exact.weight).scalars) == nil)
  }

  @Test("Updates are in place, the model is not touched, integers are copied")
  func inPlace() {
    var model = part(1)
    var average = WeightAverage(model, profile: ExponentialProfile(decay: 0.5))
    model.weight = Tensor(repeating: 3, shape: [3, 5])
    model.count = Tensor([Int32(8)], shape: [1])
    average.absorb(model)
    let place = average.model.weight.storageAddress
    for _ in 0..<5 { average.absorb(model) }
    #expect(average.model.weight.storageAddress == place)
    #expect(model.weight.scalars == [Float](repeating: 3, count: 15))
    #expect(average.model.count.integers == [8])
    #expect(average.model.frozen.storageAddress == model.frozen.storageAddress)
  }
}
