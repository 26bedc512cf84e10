import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  /// Products whose rows lie multiples of 4 KB apart, which are not oneDNN's.
  @Suite("Products of matrices 1024 wide")
  struct ProductTests {
    /// Σₖ a(i, k) b(k, j) in double precision.
    private func naive(
      _ m: Int, _ n: Int, _ k: Int, _ a: (Int, Int) -> Float, _ b: (Int, Int) -> Float
    ) -> [Float] {
      var out: [Float] = []
      for i in 0..<m {
        for j in 0..<n {
          var sum = 0.0
          for p in 0..<k { sum += Double(a(i, p)) * Double(b(p, j)) }
          out.append(Float(sum))
        }
      }
      return out
    }

    @Test(
      "like a loop on every instruction set, and whatever the number of threads",
      arguments: [(3, 1024, 400), (205, 1024, 5), (13, 2048, 41)])
    func matmul(m: Int, n: Int, k: Int) {
      let a = randomTensor([2, m, k], seed: 1), b = randomTensor([2, k, n], seed: 2)
      let (va, vb) = (a.scalars, b.scalars)
      var expected: [Float] = []
      for q in 0..<2 {
        func left(_ i: Int, _ p: Int) -> Float { va[(q * m + i) * k + p] }
        func right(_ p: Int, _ j: Int) -> Float { vb[(q * k + p) * n + j] }
        expected += naive(m, n, k, left, right)
      }
      let before = Runtime.threads
      defer { Runtime.threads = before }
      atEveryInstructionSet { _ in
        Runtime.threads = 1
        let one = a.matmul(b)
        #expect(mismatch(one, expected, relative: 1e-5, absolute: 1e-4) == nil)
        Runtime.threads = 3
        #expect(a.matmul(b).scalars == one.scalars)
      }
    }

    @Test("Gradients of layers 1024 wide", arguments: [(40, 1024, 30), (40, 33, 1024)])
    func gradients(rows: Int, inputs: Int, outputs: Int) throws {
      let x = randomTensor([rows, inputs], seed: 3), w = randomTensor([outputs, inputs], seed: 4)
      let g = randomTensor([rows, outputs], seed: 5)
      let (vx, vw, vg) = (x.scalars, w.scalars, g.scalars)
      func value(_ i: Int, _ j: Int) -> Float { vx[i * inputs + j] }
      func weight(_ i: Int, _ j: Int) -> Float { vw[i * inputs + j] }
      func upstream(_ i: Int, _ j: Int) -> Float { vg[i * outputs + j] }
      let dw = naive(outputs, inputs, rows, { upstream($1, $0) }, value)
      let dx = naive(rows, inputs, outputs, upstream, weight)
      try atEveryInstructionSet { _ in
        let (trackedX, leafX) = x.tracked()
        let (trackedW, leafW) = w.tracked()
        let found = trackedX.linear(trackedW).gradients(seed: g)
        let (foundX, foundW) = (try #require(found[leafX]), try #require(found[leafW]))
        #expect(mismatch(foundW, dw, relative: 1e-5, absolute: 1e-4) == nil)
        #expect(mismatch(foundX, dx, relative: 1e-5, absolute: 1e-4) == nil)
      }
    }
  }
}
