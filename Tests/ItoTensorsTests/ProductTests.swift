import ItoCKernels
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

    /// a · bᵀ of float32 or bfloat16 by b of any type, packed or not.
    private func product(
      _ a: Tensor, _ b: Tensor, isPacked: Bool, bias: Tensor?, residual: Tensor?,
      activation: Activation?
    ) -> Tensor {
      let (m, n, k) = (a.shape[0], b.shape[0], a.shape[1])
      var d = ito_product_desc(
        m: Int64(m), n: Int64(n), k: Int64(k), a_transposed: 0, b_transposed: 1,
        dtype: Int64(a.dtype.rawValue), out_dtype: Int64(a.dtype.rawValue),
        b_dtype: Int64(b.dtype.rawValue), b_stride: Int64(k), b_packed: 0)
      let packed = UnsafeMutableRawPointer.allocate(
        byteCount: ito_product_packed_bytes(&d), alignment: 64)
      defer { packed.deallocate() }
      return Tensor(building: [m, n], dtype: a.dtype) { out in
        reading(a, b) { pa, pb in
          if isPacked { ito_product_pack(&d, pb, packed) }
          d.b_packed = isPacked ? 1 : 0
          readingOptional(bias) { pc in
            readingOptional(residual) { pr in
              var epilogue = ito_product_epilogue(
                bias: pc?.assumingMemoryBound(to: Float.self), residual: pr,
                activation: Int64(activation?.code ?? Int32(ITO_UNARY_NONE)))
              ito_product(&d, pa, isPacked ? UnsafeRawPointer(packed) : pb, &epilogue, out)
            }
          }
        }
      }
    }

    @Test(
      "packed columns have the same bits, and bfloat16 is one rounding of the float32 result",
      arguments: [(1, 7, 5), (13, 33, 400), (300, 49, 17), (29, 600, 771), (505, 70, 1000)])
    func packing(m: Int, n: Int, k: Int) {
      let bias = randomTensor([n], seed: 3)
      let threads = Runtime.threads
      defer { Runtime.threads = threads }
      for type in [DType.float32, .bfloat16, .float16] {
        let b = (randomTensor([n, k], seed: 2) * 0.1).cast(to: type)
        let half = randomTensor([m, k], seed: 1).cast(to: .bfloat16)
        let r = randomTensor([m, n], seed: 4).cast(to: .bfloat16)
        let (a, residual) = (half.cast(to: .float32), r.cast(to: .float32))
        let (va, vb) = (a.scalars, b.scalars)
        let expected = naive(m, n, k, { va[$0 * k + $1] }, { vb[$1 * k + $0] })
        atEveryInstructionSet { level in
          Runtime.threads = 1
          let bare = product(a, b, isPacked: false, bias: nil, residual: nil, activation: nil)
          #expect(mismatch(bare, expected, relative: 1e-5, absolute: 2e-5) == nil, "\(level)")
          let whole = product(
            a, b, isPacked: false, bias: bias, residual: residual, activation: .gelu)
          Runtime.threads = 3
          let kept = product(
            a, b, isPacked: true, bias: bias, residual: residual, activation: .gelu)
          #expect(kept.scalars == whole.scalars, "\(level)")
          for isPacked in [false, true] {
            let rounded = product(
              half, b, isPacked: isPacked, bias: bias, residual: r, activation: .gelu)
            #expect(rounded.scalars == whole.cast(to: .bfloat16).scalars, "\(level)")
          }
        }
      }
    }
  }
}
