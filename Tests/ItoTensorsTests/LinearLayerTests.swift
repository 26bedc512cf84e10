import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  /// Linear layers in each way they are computed: by oneDNN's product or convolution, by our own product.
  @Suite("Linear layers")
  struct LinearLayerTests {
    /// Every row block, group of columns and part of the depth of our own product, whole and cut off.
    static let sizes = [
      (1, 9, 1), (2, 40, 33), (8, 17, 390), (5, 3, 800), (77, 512, 70), (253, 1030, 1100),
      (513, 24, 31),
    ]

    /// x·wᵀ + b + r in double precision.
    private func naive(_ x: Tensor, _ w: Tensor, _ b: Tensor, _ r: Tensor) -> Tensor {
      let (m, n, k) = (x.shape[0], w.shape[0], w.shape[1])
      let (vx, vw, vb, vr) = (x.scalars, w.scalars, b.scalars, r.scalars)
      var sums: [Float] = []
      sums.reserveCapacity(m * n)
      for i in 0..<m {
        for j in 0..<n {
          var sum = Double(vb[j]) + Double(vr[i * n + j])
          for p in 0..<k { sum += Double(vx[i * k + p]) * Double(vw[j * k + p]) }
          sums.append(Float(sum))
        }
      }
      return Tensor(sums, shape: [m, n])
    }

    @Test("like a loop on every instruction set, what follows included", arguments: sizes)
    func loop(_ m: Int, _ n: Int, _ k: Int) throws {
      let x = randomTensor([m, k], seed: 1)
      let half = (randomTensor([n, k], seed: 2) * 0.1).cast(to: .float16)
      let w = half.cast(to: .float32), b = randomTensor([n], seed: 3)
      let r = randomTensor([m, n], seed: 4)
      let sum = naive(x, w, b, r)
      let activations = m * n * k > 1 << 20 ? [.gelu] : Activation.allCases
      let cases = [nil] + activations.map(Optional.some)
      atEveryInstructionSet { level in
        let kept = x.linear(w, bias: b)
        #expect(kept.scalars == x.linear(w.tracked().0, bias: b).scalars)
        for activation in cases {
          let expected = activation.map { sum.activated(by: $0) } ?? sum
          let epilogue = Epilogue(adding: r, activation: activation)
          // Packed for this and later calls, packed already, packed for one call, in half precision.
          let layers = [
            x.linear(w, bias: b, then: epilogue), x.linear(w, bias: b, then: epilogue),
            x.linear(w.tracked().0, bias: b, then: epilogue),
            x.linear(half, bias: b, computing: .float32, then: epilogue),
          ]
          for (i, y) in layers.enumerated() {
            #expect(
              mismatch(y, expected, relative: 1e-5, absolute: 3e-5) == nil,
              "\(level) \(activation as Any), layer \(i)")
          }
        }
      }
    }

    @Test("a row has the same bits among any others, on any number of threads")
    func rows() {
      let (m, n, k) = (300, 70, 401)
      let x = randomTensor([m, k], seed: 5), w = randomTensor([n, k], seed: 6).cast(to: .bfloat16)
      let b = randomTensor([n], seed: 7)
      let before = Runtime.threads
      defer { Runtime.threads = before }
      atEveryInstructionSet { _ in
        Runtime.threads = 1
        let all = x.linear(w, bias: b, computing: .float32).scalars
        for count in [1, 2, 7, 13, 252, 299] {
          let some = Tensor(Array(x.scalars.prefix(count * k)), shape: [count, k])
          let y = some.linear(w, bias: b, computing: .float32)
          #expect(y.scalars == Array(all.prefix(count * n)))
        }
        Runtime.threads = 3
        #expect(x.linear(w, bias: b, computing: .float32).scalars == all)
      }
    }

    @Test("gradients of many rows, like a loop", arguments: [(512, 40, 33), (700, 9, 8)])
    func gradient(_ m: Int, _ n: Int, _ k: Int) throws {
      let (x, leaf) = randomTensor([m, k], seed: 10).tracked()
      let w = randomTensor([n, k], seed: 11), g = randomTensor([m, n], seed: 12)
      let (vw, vg) = (w.scalars, g.scalars)
      var expected: [Float] = []
      for i in 0..<m {
        for p in 0..<k {
          let terms = (0..<n).map { Double(vg[i * n + $0]) * Double(vw[$0 * k + p]) }
          expected.append(Float(terms.reduce(0, +)))
        }
      }
      try atEveryInstructionSet { _ in
        let found = try #require(x.linear(w).gradients(seed: g)[leaf])
        #expect(mismatch(found, expected, relative: 1e-5, absolute: 3e-5) == nil)
      }
    }

    @Test("what is not finite stays in its row or column")
    func nonFinite() {
      let (m, n, k) = (40, 512, 30)
      var x = randomTensor([m, k], seed: 8), w = randomTensor([n, k], seed: 9)
      x.update { $0[3 * k + 4] = .nan }
      w.update { $0[500 * k + 2] = .infinity }
      atEveryInstructionSet { _ in
        for y in [x.linear(w), x.linear(w.tracked().0)] {
          let values = y.scalars
          for i in 0..<m {
            for j in 0..<n where values[i * n + j].isFinite != (i != 3 && j != 500) {
              Issue.record("\(values[i * n + j]) at \(i), \(j)")
            }
          }
          #expect((0..<n).allSatisfy { values[3 * n + $0].isNaN })
        }
      }
    }
  }
}
