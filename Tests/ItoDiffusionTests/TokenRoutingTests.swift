import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoDiffusion

@Suite struct TokenRoutingTests {
  /// Eight blocks, each of which adds 1 to every feature of every token it sees.
  private func run(
    _ x: Tensor, _ routing: TokenRouting?, seed: UInt64 = 1
  ) -> (output: Tensor, widths: [Int]) {
    let context = EvaluationContext(
      routing: routing, noise: NoiseSource(seed: seed, engine: .philox))
    var hidden = x
    var widths: [Int] = []
    for index in 0..<8 {
      hidden = context.run(.block(index: index, count: 8), on: hidden) { hidden in
        widths.append(hidden.shape[1])
        return hidden + 1
      }
    }
    return (hidden, widths)
  }

  @Test("Some tokens miss the blocks in the middle and come back where they were")
  func skipping() {
    let x = randomTensor([3, 10, 2], seed: 5)
    let (output, widths) = run(x, TokenRouting(share: 0.4, first: 2, lastFromEnd: 3))
    #expect(widths == [10, 10, 6, 6, 6, 6, 10, 10])
    let added = (output - x).scalars
    for sample in 0..<3 {
      var seen = 0
      for token in 0..<10 {
        let own = added[((sample * 10 + token) * 2)..<((sample * 10 + token) * 2 + 2)]
        let isSeen = own.allSatisfy { abs($0 - 8) < 1e-5 }
        #expect(isSeen || own.allSatisfy { abs($0 - 4) < 1e-5 })
        seen += isSeen ? 1 : 0
      }
      #expect(seen == 6)
    }
    // Each sample draws its own tokens, each step others.
    let rows = (0..<3).map { Array(added[($0 * 20)..<($0 * 20 + 20)].map { $0 > 6 }) }
    #expect(Set(rows).count > 1)
    #expect(
      run(x, TokenRouting(share: 0.4, first: 2, lastFromEnd: 3), seed: 2).output.scalars
        != output.scalars)
    #expect(
      run(x, TokenRouting(share: 0.4, first: 2, lastFromEnd: 3)).output.scalars == output.scalars)
  }

  @Test("Nothing skips without a routing, or with a share of 0")
  func off() {
    let x = randomTensor([2, 5, 3], seed: 5)
    let plain = run(x, nil)
    #expect(plain.widths == [Int](repeating: 5, count: 8))
    #expect(
      run(x, TokenRouting(share: 0, first: 1, lastFromEnd: 1)).output.scalars
        == plain.output.scalars)
    // At least one token goes through.
    #expect(
      run(x, TokenRouting(share: 1, first: 1, lastFromEnd: 1)).widths == [5, 1, 1, 1, 1, 1, 1, 1])
  }

  private struct Tokens: Module {
    var x: Tensor
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.parameter("x", &x)
    }
  }

  @Test("In bfloat16 the gradient has the type of what it belongs to, and agrees with float32")
  func halfPrecision() throws {
    func gradient(_ dtype: DType) throws -> Tensor {
      let tokens = Tokens(x: randomTensor([2, 6, 4], seed: 9))
      let (_, gradients) = valueWithGradient(at: tokens) { tokens in
        let context = EvaluationContext(
          routing: TokenRouting(share: 0.5, first: 0, lastFromEnd: 1),
          noise: NoiseSource(seed: 3, engine: .philox))
        // A product before and after, whose own gradients read what they are given as their type.
        let weight = randomTensor([2, 4, 4], seed: 10).cast(to: dtype)
        var hidden = tokens.x.cast(to: dtype).matmul(weight)
        for index in 0..<2 {
          hidden = context.run(.block(index: index, count: 2), on: hidden) { $0.matmul(weight) }
        }
        return hidden.cast(to: .float32).squared().mean()
      }
      let path = try #require(tokens.parameters.first?.path)
      return try #require(gradients[path])
    }
    let exact = try gradient(.float32), half = try gradient(.bfloat16)
    #expect(half.isFinite && relativeRMSError(half, exact) < 0.03)
  }

  @Test("The gradient is that of the way each token took")
  func gradient() {
    let routing = TokenRouting(share: 0.5, first: 0, lastFromEnd: 1)
    let report = checkGradients(
      of: { inputs in
        let context = EvaluationContext(
          routing: routing, noise: NoiseSource(seed: 3, engine: .philox))
        var hidden = inputs[0]
        for index in 0..<2 {
          hidden = context.run(.block(index: index, count: 2), on: hidden) { $0 * $0 }
        }
        return hidden
      }, at: [randomTensor([2, 6, 3], seed: 9)])
    #expect(report.failure == nil)
  }
}
