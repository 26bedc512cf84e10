import ItoTensors
import ItoTestSupport
import Testing

@Suite("Matrix products")
struct MatmulTests {
  private func product(
    _ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int, bTransposed: Bool
  ) -> [Float] {
    var out = [Float](repeating: 0, count: m * n)
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        for p in 0..<k {
          sum += Double(a[i * k + p]) * Double(bTransposed ? b[j * k + p] : b[p * n + j])
        }
        out[i * n + j] = Float(sum)
      }
    }
    return out
  }

  static let sizes = [(1, 1, 1), (1, 5, 3), (7, 13, 17), (64, 32, 48), (33, 1, 65), (130, 70, 31)]

  @Test("linear like a loop", arguments: sizes)
  func linear(_ m: Int, _ n: Int, _ k: Int) {
    let x = randomTensor([m, k], seed: 1), w = randomTensor([n, k], seed: 2)
    let b = randomTensor([n], seed: 3)
    let expected = product(x.scalars, w.scalars, m, n, k, bTransposed: true)
    #expect(mismatch(x.linear(w), expected, relative: 1e-5, absolute: 1e-4) == nil)
    let biased = zip(expected.indices, expected).map { $1 + b.scalars[$0 % n] }
    // Twice: the second product uses the weight packed by the first.
    for _ in 0..<2 {
      #expect(mismatch(x.linear(w, bias: b), biased, relative: 1e-5, absolute: 1e-4) == nil)
    }
    let half = x.linear(w.cast(to: .bfloat16), bias: b)
    #expect(half.dtype == .bfloat16)
    // bfloat16 keeps 8 bits: 2^-9 relative for each operand and the result.
    let bound = Float(k).squareRoot() * 3 / 256 + 0.02
    #expect(mismatch(half, biased, relative: 0.02, absolute: bound) == nil)
  }

  @Test("a packed weight follows its changes")
  func packing() {
    var w = randomTensor([9, 11], seed: 1)
    let x = randomTensor([4, 11], seed: 2)
    _ = x.linear(w)
    w.update { $0[0] += 100 }
    let expected = product(x.scalars, w.scalars, 4, 9, 11, bTransposed: true)
    #expect(mismatch(x.linear(w), expected, relative: 1e-5, absolute: 1e-3) == nil)
  }

  @Test("matmul like a loop", arguments: sizes, [false, true])
  func matmul(_ size: (Int, Int, Int), _ transposed: Bool) {
    let (m, n, k) = size
    let a = randomTensor([2, 3, m, k], seed: 1)
    let b = randomTensor(transposed ? [2, 3, n, k] : [2, 3, k, n], seed: 2)
    let c = a.matmul(b, transposed: transposed)
    #expect(c.shape == [2, 3, m, n])
    for i in 0..<6 {
      let expected = product(
        Array(a.scalars[(i * m * k)..<((i + 1) * m * k)]),
        Array(b.scalars[(i * n * k)..<((i + 1) * n * k)]), m, n, k, bTransposed: transposed)
      let part = Tensor(Array(c.scalars[(i * m * n)..<((i + 1) * m * n)]), shape: [m, n])
      #expect(mismatch(part, expected, relative: 1e-5, absolute: 1e-4) == nil)
    }
  }

  @Test("gradients", arguments: sizes.prefix(4))
  func gradients(_ m: Int, _ n: Int, _ k: Int) {
    let x = randomTensor([m, k], seed: 1), w = randomTensor([n, k], seed: 2)
    let b = randomTensor([n], seed: 3)
    let report = checkGradients(of: { $0[0].linear($0[1], bias: $0[2]) }, at: [x, w, b])
    #expect(report.failure == nil)
    for transposed in [false, true] {
      let y = randomTensor(transposed ? [2, n, k] : [2, k, n], seed: 4)
      let report = checkGradients(
        of: { $0[0].matmul($0[1], transposed: transposed) },
        at: [randomTensor([2, m, k], seed: 5), y])
      #expect(report.failure == nil)
    }
  }

  @Test("weight gradients of a bfloat16 weight are float32")
  func halfGradients() {
    let (w, leaf) = randomTensor([8, 16], seed: 1).cast(to: .bfloat16).tracked()
    let x = randomTensor([32, 16], seed: 2)
    let g = x.linear(w).gradients(seed: Tensor(repeating: 1, shape: [32, 8], dtype: .bfloat16))[
      leaf]
    #expect(g?.dtype == .float32)
    let sums = x.cast(to: .bfloat16).cast(to: .float32).sum(axes: [0])
    let expected = (0..<8).flatMap { _ in sums.scalars }
    #expect(g.flatMap { mismatch($0, expected, relative: 1e-4, absolute: 1e-3) } == nil)
  }

  @Test("empty operands")
  func empty() {
    #expect(Tensor(zeros: [0, 4]).linear(Tensor(zeros: [3, 4])).shape == [0, 3])
    #expect(Tensor(zeros: [2, 0]).linear(Tensor(zeros: [3, 0])).scalars == [0, 0, 0, 0, 0, 0])
  }
}
