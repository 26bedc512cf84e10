import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("Maps side by side")
  struct JoinedChannelsTests {
    private func parts(_ shape: [Int], _ channels: [Int]) -> JoinedChannels {
      JoinedChannels(
        channels.enumerated().map { i, c in
          randomTensor(Shape(shape + [c]), seed: UInt64(i + 1), offset: Double(7 * i))
        })
    }

    @Test func areWhatTheirConcatenationIs() {
      let x = JoinedChannels([
        randomTensor([2, 3, 4], seed: 1), randomTensor([2, 3, 5], seed: 2).cast(to: .bfloat16),
      ])
      #expect(x.shape == [2, 3, 9])
      #expect(x.dtype == .float32)
      #expect(x.whole.scalars == Tensor.concatenated(x.parts, axis: -1).scalars)
      #expect(x.joined.parts.count == 1)
      #expect(x.map { $0 + 1 }.whole.scalars == (x.whole + 1).scalars)
    }

    /// Groups that lie across two parts, parts that no vector of the processor fits, one and several blocks.
    @Test(
      "the group norm has the bits of that of the concatenation",
      arguments: [
        ([2, 3, 5], [8, 16], 4), ([1, 1, 1], [4, 4], 2), ([1, 70, 50], [13, 11, 40], 8),
        ([2, 33, 31], [320, 640], 32), ([3, 9, 7], [1, 35], 6),
      ])
    func groupNorm(_ shape: [Int], _ channels: [Int], _ groups: Int) {
      let x = parts(shape, channels), count = x.shape[-1]
      let w = randomTensor([count], seed: 8), b = randomTensor([count], seed: 9)
      let offset = randomTensor([shape[0], count], seed: 10)
      atEveryInstructionSet { level in
        for x in [x, x.map { $0.cast(to: .bfloat16) }] {
          for activation in [nil, Activation.silu, .gelu] {
            let joined = x.groupNorm(
              groups: groups, weight: w, bias: b, offset: offset, activation: activation)
            let plain = x.whole.groupNorm(
              groups: groups, weight: w, bias: b, offset: offset, activation: activation)
            #expect(joined.dtype == plain.dtype && joined.shape == plain.shape)
            #expect(joined.scalars == plain.scalars, "\(level) \(activation as Any)")
          }
        }
      }
    }

    /// Few and many rows: in half precision they take different ways.
    @Test(
      "a product stays within the stated bound of its value",
      arguments: [
        (5, [3, 4], 9), (77, [40, 24, 9], 33), (512, [64, 64], 48), (600, [17, 390], 40),
      ])
    func linear(_ rows: Int, _ channels: [Int], _ n: Int) {
      let x = parts([rows], channels), k = x.shape[-1]
      let half = (randomTensor([n, k], seed: 5) * 0.1).cast(to: .float16)
      let w = half.cast(to: .float32), b = randomTensor([n], seed: 6)
      let r = randomTensor([rows, n], seed: 7)
      let (vx, vw, vb, vr) = (x.whole.scalars, w.scalars, b.scalars, r.scalars)
      var exact: [Double] = [], bounds: [Double] = []
      for i in 0..<rows {
        for j in 0..<n {
          var terms = [Double(vb[j]), Double(vr[i * n + j])]
          terms += (0..<k).map { Double(vx[i * k + $0]) * Double(vw[j * k + $0]) }
          exact.append(terms.reduce(0, +))
          // Each of the two is within half of what they may differ by.
          bounds.append(
            Double(k + channels.count) * 0x1p-24 * terms.reduce(0) { $0 + abs($1) })
        }
      }
      atEveryInstructionSet { level in
        let epilogue = Epilogue(adding: r)
        // Packed for this and later calls, packed already, in half precision.
        let products = [
          x.linear(w, outFeatures: n, bias: b, then: epilogue),
          x.linear(w, outFeatures: n, bias: b, then: epilogue),
          x.linear(half, outFeatures: n, bias: b, computing: .float32, then: epilogue),
          x.whole.linear(w, bias: b, then: epilogue),
        ]
        for (which, product) in products.enumerated() {
          let worst = zip(zip(product.scalars, exact), bounds).map { pair, bound in
            abs(Double(pair.0) - pair.1) / bound
          }.max()
          #expect(worst.map { $0 < 1 } == true, "\(level), product \(which): \(worst as Any)")
        }
        for activation in Activation.allCases {
          let active = x.linear(
            w, outFeatures: n, bias: b, then: Epilogue(adding: r, activation: activation))
          #expect(
            mismatch(
              active, products[0].activated(by: activation).scalars, relative: 1e-5, absolute: 3e-5)
              == nil, "\(level) \(activation)")
        }
        let single = x.linear(
          w.cast(to: .bfloat16), outFeatures: n, bias: b,
          then: Epilogue(adding: r.cast(to: .bfloat16)))
        #expect(single.dtype == .bfloat16)
        #expect(relativeRMSError(single.cast(to: .float32), products[0]) < 8e-3)
      }
    }

    @Test("parts of equal width have packed forms of their own")
    func equalWidths() {
      let x = parts([64], [32, 32]), w = randomTensor([16, 64], seed: 5)
      for _ in 0..<2 {
        let joined = x.linear(w, outFeatures: 16)
        #expect(relativeRMSError(joined, x.whole.linear(w)) < 1e-6)
      }
    }

    @Test("gradients are those of the concatenation")
    func gradients() {
      let x = parts([2, 6], [8, 12]), w = randomTensor([5, 20], seed: 3)
      func found(_ body: (JoinedChannels, Tensor) -> Tensor) -> [[Float]] {
        let leaves = (x.parts + [w]).map { $0.tracked() }
        let y = body(JoinedChannels(leaves.prefix(2).map(\.0)), leaves[2].0)
        let gradients = y.squared().sum().gradients(seed: Tensor(scalar: 1))
        return leaves.compactMap { gradients[$0.1]?.scalars }
      }
      let joined = found {
        $0.groupNorm(groups: 4).squared().sum() + $0.linear($1, outFeatures: 5).sum()
      }
      let plain = found {
        $0.whole.groupNorm(groups: 4).squared().sum() + $0.whole.linear($1).sum()
      }
      #expect(joined.count == 3)
      #expect(joined == plain)
    }
  }
}
