import ItoCKernels
import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  /// `ito_strassen` itself; where it is chosen is another suite's.
  @Suite("Seven products for eight")
  struct StrassenTests {
    /// activation(a · bᵀ + bias + residual).
    private func product(
      _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, residual: Tensor? = nil,
      activation: Activation? = nil, into type: DType? = nil
    ) -> Tensor {
      let (m, n, k) = (a.shape[0], b.shape[0], a.shape[1])
      let type = type ?? a.dtype
      var d = ito_product_desc(
        m: Int64(m), n: Int64(n), k: Int64(k), a_transposed: 0, b_transposed: 1,
        dtype: Int64(a.dtype.rawValue), out_dtype: Int64(type.rawValue),
        b_dtype: Int64(b.dtype.rawValue), b_stride: Int64(k), b_packed: 0)
      let packed = UnsafeMutableRawPointer.allocate(
        byteCount: ito_strassen_packed_bytes(&d), alignment: 64)
      defer { packed.deallocate() }
      return Tensor(building: [m, n], dtype: type) { out in
        reading(a, b) { pa, pb in
          ito_strassen_pack(&d, pb, packed)
          readingOptional(bias) { pc in
            readingOptional(residual) { pr in
              var epilogue = ito_product_epilogue(
                bias: pc?.assumingMemoryBound(to: Float.self), residual: pr,
                activation: Int64(activation?.code ?? Int32(ITO_UNARY_NONE)))
              ito_strassen(&d, pa, packed, &epilogue, out)
            }
          }
        }
      }
    }

    /// Runs `body` at every instruction set, with and without pairs of bfloat16 where the processor has them.
    private func everywhere(_ body: (String) throws -> Void) rethrows {
      let usedPairs = Runtime.usesBF16Pairs
      defer { Runtime.usesBF16Pairs = usedPairs }
      try atEveryInstructionSet { level in
        for pairs in level == .avx512BF16 ? [false, true] : [false] {
          Runtime.usesBF16Pairs = pairs
          try body("\(level)\(pairs ? " in pairs" : "")")
        }
      }
    }

    /// Σₖ a(i, k) b(j, k) in double precision.
    private func sums(_ a: Tensor, _ b: Tensor) -> [Double] {
      let (va, vb) = (a.scalars, b.scalars)
      let (m, n, k) = (a.shape[0], b.shape[0], a.shape[1])
      var out = [Double](repeating: 0, count: m * n)
      for i in 0..<m {
        for j in 0..<n {
          var sum = 0.0
          for p in 0..<k { sum += Double(va[i * k + p]) * Double(vb[j * k + p]) }
          out[i * n + j] = sum
        }
      }
      return out
    }

    /// Integers so small that every sum is exact, sums of two numbers in bfloat16 too: nothing may differ by a bit. One
    /// part of the depth and several, rows and columns that fill no pair, no block, no tile.
    @Test(
      "exact where nothing is rounded, whatever the types and the threads",
      arguments: [
        (2, 64, 64), (1, 128, 64), (25, 128, 70), (77, 1600, 130), (77, 768, 320), (603, 192, 64),
        (154, 3200, 96),
      ])
    func exact(m: Int, k: Int, n: Int) {
      let a = randomIntegers([m, k], in: -3..<4, seed: 1).cast(to: .float32)
      let b = randomIntegers([n, k], in: -3..<4, seed: 2).cast(to: .float32)
      let bias = randomIntegers([n], in: -9..<10, seed: 3).cast(to: .float32)
      let residual = randomIntegers([m, n], in: -9..<10, seed: 4).cast(to: .float32)
      let (vb, vr) = (bias.scalars, residual.scalars)
      let plain = sums(a, b).map { Float($0) }
      let whole = plain.enumerated().map { max(0, $1 + vb[$0 % n] + vr[$0]) }
      let rounded = Tensor(whole, shape: [m, n]).cast(to: .bfloat16).scalars
      let threads = Runtime.threads
      defer { Runtime.threads = threads }
      everywhere { level in
        for (count, type) in [(1, DType.float32), (3, .bfloat16), (2, .float16)] {
          Runtime.threads = count
          let w = b.cast(to: type)
          #expect(product(a, w).scalars == plain, "\(level) \(type)")
          let found = product(a, w, bias: bias, residual: residual, activation: .relu)
          #expect(found.scalars == whole, "\(level) \(type)")
        }
        for count in [1, 3] {
          Runtime.threads = count
          let (x, w) = (a.cast(to: .bfloat16), b.cast(to: .bfloat16))
          #expect(product(x, w, into: .float32).scalars == plain, "\(level)")
          let found = product(
            x, w, bias: bias, residual: residual.cast(to: .bfloat16), activation: .relu)
          #expect(found.scalars == rounded, "\(level)")
        }
      }
    }

    @Test("the stated bounds, for rows and columns of any size, and no bit by the threads")
    func bounds() {
      let (m, k, n) = (58, 2048, 192)
      // Rows and columns from 2⁻³⁰ to 2³⁰, as few models have them: a scale apart, each must be as exact as the others.
      let rows = (0..<m).map { Float(sign: .plus, exponent: ($0 * 17) % 61 - 30, significand: 1) }
      let columns = (0..<n).map { Float(sign: .plus, exponent: ($0 * 7) % 41 - 20, significand: 1) }
      let a = randomTensor([m, k], seed: 1) * Tensor(rows, shape: [m, 1])
      let b = randomTensor([n, k], seed: 2) * Tensor(columns, shape: [n, 1])
      let threads = Runtime.threads
      defer { Runtime.threads = threads }
      for type in [DType.float32, .bfloat16] {
        let (x, w) = (a.cast(to: type), b.cast(to: type))
        let expected = sums(x, w)
        // Relative to the norm of the row that it is of, each element brought to its column's size.
        func errors(_ found: Tensor) -> [Double] {
          let values = found.scalars
          return (0..<m).map { i in
            var (difference, norm) = (0.0, 0.0)
            for j in 0..<n {
              let (right, size) = (expected[i * n + j], Double(columns[j]))
              let far = (Double(values[i * n + j]) - right) / size
              difference += far * far
              norm += right / size * (right / size)
            }
            return (difference / norm).squareRoot()
          }
        }
        everywhere { level in
          Runtime.threads = 1
          let y = product(x, w, into: .float32)
          Runtime.threads = 3
          #expect(product(x, w, into: .float32).scalars == y.scalars, "\(level)")
          let isInPairs = type == .bfloat16 && ito_bf16_pairs_pay() != 0
          let limit = isInPairs ? 4 * 0x1p-9 : Double(k).squareRoot() * 0x1p-25
          let most = errors(y).max() ?? 0
          #expect(most < limit, "\(level) \(type): \(most)")
        }
      }
    }

    @Test("what follows: every activation, with a bias, like a pass after the sums")
    func activations() {
      let a = randomTensor([30, 256], seed: 1), b = randomTensor([100, 256], seed: 2) * 0.06
      let bias = randomTensor([100], seed: 3)
      everywhere { level in
        let sums = product(a, b, bias: bias)
        for activation in [Activation.silu, .gelu, .geluTanh, .relu, .mish] {
          let found = product(a, b, bias: bias, activation: activation)
          let expected = sums.activated(by: activation).scalars
          #expect(
            mismatch(found, expected, relative: 1e-6, absolute: 1e-6) == nil, "\(level)")
        }
      }
    }

    @Test("numbers that are not finite stay in their pair of rows and are said as such")
    func notFinite() {
      var values = randomTensor([8, 64], seed: 1).scalars
      values[3 * 64 + 5] = .nan
      values[6 * 64] = .infinity
      let a = Tensor(values, shape: [8, 64]), b = randomTensor([64, 64], seed: 2)
      let zeros = Tensor(zeros: [8, 64])
      everywhere { level in
        let y = product(a, b).scalars
        for row in 0..<8 {
          let values = y[(row * 64)..<(row * 64 + 64)]
          if [0, 1, 4, 5].contains(row) {
            #expect(values.allSatisfy { $0.isFinite }, "\(level) row \(row)")
          }
          if [3, 6].contains(row) {
            #expect(values.allSatisfy { !$0.isFinite }, "\(level) row \(row)")
          }
        }
        #expect(product(zeros, b).scalars.allSatisfy { $0 == 0 })
      }
    }
  }
}
