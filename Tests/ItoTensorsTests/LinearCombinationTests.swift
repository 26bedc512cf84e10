import ItoTensors
import ItoTestSupport
import Testing

private let levels = Runtime.InstructionSet.allCases

@Suite(.serialized) struct LinearCombinationTests {
  /// Runs `body` at each instruction-set level the processor has.
  private func atEachLevel(_ body: () -> Void) {
    let level = Runtime.instructionSet
    defer { Runtime.instructionSet = level }
    for candidate in levels where candidate.rawValue <= Runtime.availableInstructionSet.rawValue {
      Runtime.instructionSet = candidate
      body()
    }
  }

  @Test("sums of scaled tensors", arguments: [[1], [3, 7], [5, 1023], [2, 33, 1031]])
  func matchesLoop(dims: [Int]) {
    let shape = Shape(dims)
    for count in 1...5 {
      let tensors = (0..<count).map { randomTensor(shape, seed: UInt64($0)) }
      let coefficients = (0..<count).map { 0.5 - 0.7 * Double($0) }
      let values = tensors.map(\.scalars)
      let expected = (0..<shape.count).map { i in
        Float((0..<count).reduce(0.0) { $0 + coefficients[$1] * Double(values[$1][i]) })
      }
      atEachLevel {
        let result = Tensor.linearCombination(Array(zip(coefficients, tensors)))
        // Cancellation between terms of size one leaves their rounding errors.
        #expect(mismatch(result, expected, absolute: 2e-6) == nil)
      }
    }
  }

  @Test func coefficientsPerSample() {
    let (a, b) = (randomTensor([3, 5, 77], seed: 1), randomTensor([3, 5, 77], seed: 2))
    let (ca, cb): ([Double], [Double]) = ([1.0, -2, 0.25], [0.5, 0, -3])
    let (va, vb) = (a.scalars, b.scalars)
    var expected: [Float] = []
    for i in va.indices {
      let row = i / 385
      expected.append(Float(ca[row]) * va[i] + Float(cb[row]) * vb[i])
    }
    atEachLevel {
      let result = Tensor.linearCombination(perSample: [(ca, a), (cb, b)])
      #expect(mismatch(result, expected, absolute: 2e-6) == nil)
    }
  }

  @Test func samplesKeepTheirResultInAnyBatch() {
    let x = randomTensor([4, 999], seed: 1)
    let y = randomTensor([4, 999], seed: 2)
    let whole = Tensor.linearCombination([(0.3, x), (1.7, y)])
    let each = Tensor.linearCombination(
      perSample: [([0.3, 0.3, 0.3, 0.3], x), ([1.7, 1.7, 1.7, 1.7], y)])
    #expect(mismatch(each, whole, absolute: 1e-6) == nil)
  }

  @Test func mixedElementTypes() {
    let x = randomTensor([7, 65], seed: 1)
    let y = randomTensor([7, 65], seed: 2, dtype: .bfloat16)
    let z = randomTensor([7, 65], seed: 3, dtype: .float16)
    let exact = Tensor.linearCombination([
      (2, x), (-0.5, y.cast(to: .float32)), (3, z.cast(to: .float32)),
    ])
    atEachLevel {
      let mixed = Tensor.linearCombination([(2, x), (-0.5, y), (3, z)])
      #expect(mixed.dtype == .float32)
      #expect(mismatch(mixed, exact, absolute: 2e-6) == nil)
      let rounded = Tensor.linearCombination([(2, x), (-0.5, y), (3, z)], dtype: .bfloat16)
      #expect(rounded.dtype == .bfloat16)
      #expect(mismatch(rounded, exact.scalars, relative: Tolerances.bfloat16) == nil)
    }
    #expect(Tensor.linearCombination([(1, y), (1, y)]).dtype == .bfloat16)
    #expect(Tensor.linearCombination([(1, y), (1, z)]).dtype == .float32)
  }

  @Test func gradients() {
    let inputs = [randomTensor([3, 11], seed: 1), randomTensor([3, 11], seed: 2)]
    let report = checkGradients(
      of: { x in
        let product = x[0] * x[1]
        let sum = Tensor.linearCombination([(0.5, x[0]), (-2, x[1]), (1.5, product)])
        return Tensor.linearCombination(perSample: [([1, 2, -3], sum), ([0.1, 0, 4], product)])
      }, at: inputs)
    #expect(report.failure == nil)
  }

  @Test func gradientsKeepTheInputsElementType() {
    let (x, leaf) = randomTensor([4], seed: 1, dtype: .bfloat16).tracked()
    let y = Tensor.linearCombination([(3, x), (1, randomTensor([4], seed: 2))])
    let gradient = y.gradients()[leaf]
    #expect(gradient?.dtype == .bfloat16)
    #expect(gradient?.scalars == [3, 3, 3, 3])
  }

  @Test("one element that is not finite is found wherever it is", arguments: DType.allCases)
  func finiteness(dtype: DType) {
    for count in [0, 1, 63, 70_001] {
      let clean = Tensor(repeating: 1, shape: [count], dtype: dtype)
      atEachLevel { #expect(clean.isFinite) }
      guard dtype.isFloatingPoint, count > 0 else { continue }
      for (place, bad) in [(0, Float.nan), (count - 1, .infinity), (count / 2, -.infinity)] {
        var values = clean.scalars
        values[place] = bad
        let spoiled = Tensor(values, shape: [count]).cast(to: dtype)
        atEachLevel { #expect(!spoiled.isFinite) }
      }
    }
  }
}
