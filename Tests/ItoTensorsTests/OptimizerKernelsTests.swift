import ItoTestSupport
import Testing

@testable import ItoTensors

// The optimizers' steps are tested against plain loops where they are used.
@Suite struct OptimizerKernelsTests {
  @Test(
    "The sum of squares is exact to double precision, and the same bits for any threads and level",
    arguments: [DType.float32, .bfloat16, .float16])
  func squares(type: DType) {
    let threads = Runtime.threads
    let level = Runtime.instructionSet
    defer {
      Runtime.threads = threads
      Runtime.instructionSet = level
    }
    for count in [0, 1, 15, 16, 17, 70_001, 300_000] {
      let x = randomTensor([count], seed: 3, dtype: type)
      let expected = x.scalars.reduce(0.0) { $0 + Double($1) * Double($1) }
      var found: Set<Double> = []
      for threads in [1, 2, 3] {
        for level in Runtime.InstructionSet.allCases {
          Runtime.threads = threads
          Runtime.instructionSet = level
          found.insert(x.sumOfSquares)
        }
      }
      #expect(found.count == 1)
      #expect(abs(found.first! - expected) <= 1e-12 * expected)
    }
    #expect(Tensor([3e30, 4e30], shape: [2]).sumOfSquares.squareRoot() > 4.99e30)
    #expect(Tensor([1, .nan], shape: [2]).sumOfSquares.isNaN)
  }

  @Test("Accumulation is in place where it can be")
  func accumulate() {
    let terms = [
      randomTensor([3, 7], seed: 2), randomTensor([3, 7], seed: 3, dtype: .bfloat16),
      randomTensor([3, 7], seed: 4, dtype: .float16),
    ]
    var sum = randomTensor([3, 7], seed: 1)
    var expected = sum.scalars
    for term in terms {
      let place = sum.storageAddress
      sum.accumulate(term)
      expected = zip(expected, term.scalars).map { $0 + $1 }
      #expect(sum.scalars == expected)
      #expect((sum.storageAddress == place) == (term.dtype != .float16))
    }
    let before = sum
    sum.accumulate(sum)
    #expect(before.scalars == expected)
    #expect(sum.scalars == expected.map { 2 * $0 })
  }
}
