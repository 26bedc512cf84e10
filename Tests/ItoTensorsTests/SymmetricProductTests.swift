import ItoTestSupport
import Testing

@testable import ItoTensors

extension KernelTests {
  @Suite("Products known to be symmetric")
  struct SymmetricProductTests {
    /// `scale · a·bᵀ + addendScale · addend + diagonal · I` in double precision.
    private func naive(
      _ a: Tensor, _ b: Tensor, scale: Double, addend: (Double, Tensor)?, diagonal: Double
    ) -> [Float] {
      let (n, m, k) = (a.shape[0], a.shape[1], a.shape[2])
      let (va, vb, vd) = (a.scalars, b.scalars, addend?.1.scalars)
      var out: [Float] = []
      for q in 0..<n {
        for i in 0..<m {
          for j in 0..<m {
            var sum = 0.0
            for p in 0..<k {
              sum += Double(va[(q * m + i) * k + p]) * Double(vb[(q * m + j) * k + p])
            }
            let other = Double(vd?[(q * m + i) * m + j] ?? 0) * (addend?.0 ?? 0)
            out.append(Float(scale * sum + other + (i == j ? diagonal : 0)))
          }
        }
      }
      return out
    }

    @Test(
      "Gram matrices equal plain loops and are symmetric, bit for bit",
      arguments: [
        Shape([1, 1, 1]), [2, 5, 3], [1, 16, 16], [3, 17, 40], [1, 33, 7], [2, 47, 100],
        [1, 64, 385], [1, 20, 800], [1, 7, 0],
      ])
    func gram(shape: Shape) {
      atEveryInstructionSet { _ in
        let x = randomTensor(shape, seed: 3)
        let result = x.gramMatrices()
        let expected = naive(x, x, scale: 1, addend: nil, diagonal: 0)
        #expect(mismatch(result, expected, relative: 1e-5, absolute: 1e-4) == nil)
        #expect(result.transposed().scalars == result.scalars)
      }
    }

    @Test(
      "Products of polynomials of one matrix equal plain loops",
      arguments: [1, 6, 15, 16, 31, 50, 97])
    func commuting(size: Int) {
      atEveryInstructionSet { _ in
        let root = (1 / Double(size).squareRoot()) * randomTensor([2, size, size], seed: 5)
        let g = root.gramMatrices()
        // Another polynomial of g.
        let other = Tensor.linearCombination([(0.5, g), (-0.25, g.matmul(g))])
        let plain = g.commutingProduct(other)
        #expect(
          mismatch(
            plain, naive(g, other, scale: 1, addend: nil, diagonal: 0), relative: 1e-4,
            absolute: 1e-5) == nil)
        let result = g.commutingProduct(g, scale: 2, plus: (-3, g), diagonal: 0.75)
        #expect(
          mismatch(
            result, naive(g, g, scale: 2, addend: (-3, g), diagonal: 0.75), relative: 1e-4,
            absolute: 1e-5) == nil)
        #expect(result.transposed().scalars == result.scalars)
      }
    }

    @Test("The number of threads changes nothing")
    func threads() {
      let before = Runtime.threads
      defer { Runtime.threads = before }
      let x = randomTensor([3, 70, 90], seed: 8)
      Runtime.threads = 1
      let one = x.gramMatrices().scalars
      Runtime.threads = 3
      #expect(x.gramMatrices().scalars == one)
    }
  }
}
