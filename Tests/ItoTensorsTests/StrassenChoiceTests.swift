import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("Where seven products stand for eight")
  struct StrassenChoiceTests {
    private let weight = randomTensor([1024, 2688], seed: 2) * 0.03
    private let bias = randomTensor([1024], seed: 3)

    /// What `body` makes without it.
    private func without<R>(_ body: () throws -> R) rethrows -> R {
      Runtime.usesStrassen = false
      defer { Runtime.usesStrassen = true }
      return try body()
    }

    @Test("chosen for kept weights and rows of a sample; every other product has the bits it had")
    func chosen() {
      let x = randomTensor([2, 128, 2688], seed: 1)
      atEveryInstructionSet { level in
        for type in [DType.float32, .bfloat16] {
          let (x, w) = (x.cast(to: type), weight.cast(to: type))
          let plain = without { x.linear(w, bias: bias) }
          let found = x.linear(w, bias: bias)
          #expect((found.scalars != plain.scalars) == (level != .portable), "\(level) \(type)")
          let limit = type == .float32 ? 2e-6 : 4 * 0x1p-9
          #expect(relativeRMSError(found.cast(to: .float32), plain.cast(to: .float32)) < limit)
          #expect(found.scalars == x.linear(w, bias: bias).scalars, "its packed form is kept")

          let rows = x.reshaped(to: [256, 2688])
          #expect(rows.linear(w, bias: bias).scalars == plain.scalars, "rows that are samples")
          let few = x.reshaped(to: [4, 64, 2688])
          #expect(few.linear(w, bias: bias).scalars == plain.scalars, "few rows a sample")
          let (tracked, _) = w.tracked()
          #expect(x.linear(tracked, bias: bias).scalars == plain.scalars, "weights that change")
        }
      }
    }

    @Test(
      "in pairs of bfloat16, whose sums are rounded, only for large matrices that are not square",
      arguments: [[640, 1280], [1024, 1024]])
    func pairs(shape: [Int]) {
      let x = randomTensor([1, 128, shape[1]], seed: 8)
      let w = randomTensor([shape[0], shape[1]], seed: 9) * 0.03
      for type in [DType.float32, .bfloat16] {
        let (x, w) = (x.cast(to: type), w.cast(to: type))
        let isChosen = type == .float32 || !Runtime.usesBF16Pairs
        let isSame = x.linear(w).scalars == without { x.linear(w) }.scalars
        #expect(isSame != (isChosen && Runtime.instructionSet != .portable), "\(type)")
      }
    }

    @Test("a batch has the bits of its samples alone; an odd number of rows each is left to others")
    func batches() {
      let x = randomTensor([3, 130, 2688], seed: 4), odd = x.sliced(0..<129, axis: 1)
      atEveryInstructionSet { level in
        #expect(odd.linear(weight).scalars == without { odd.linear(weight) }.scalars, "\(level)")
        guard level != .portable else { return }  // all of it is oneDNN's, which promises nothing
        let together = x.linear(weight, bias: bias).scalars
        let apart = (0..<3).flatMap {
          x.sliced($0..<($0 + 1), axis: 0).linear(weight, bias: bias).scalars
        }
        #expect(together == apart, "\(level)")
      }
    }

    @Test("parts of a depth, each by its columns of the weight")
    func parts() {
      let x = randomTensor([2, 8, 16, 2688], seed: 5)
      let joined = JoinedChannels([
        x.sliced(0..<2048, axis: -1), x.sliced(2048..<2688, axis: -1),
      ])
      atEveryInstructionSet { level in
        for type in [DType.float32, .bfloat16] {
          let w = weight.cast(to: type)
          let found = joined.linear(w, outFeatures: 1024, bias: bias).cast(to: .float32)
          let plain = without { joined.linear(w, outFeatures: 1024, bias: bias) }
          #expect((found.scalars != plain.scalars) == (level != .portable), "\(level) \(type)")
          let limit = type == .float32 ? 2e-6 : 4 * 0x1p-9
          #expect(relativeRMSError(found, plain.cast(to: .float32)) < limit)
        }
      }
    }

    @Test("gradients of inputs by kept weights are those of the plain product")
    func gradients() throws {
      let (x, leaf) = randomTensor([1, 128, 2688], seed: 6).tracked()
      let seed = randomTensor([1, 128, 1024], seed: 7)
      let found = try #require(x.linear(weight, bias: bias).gradients(seed: seed)[leaf])
      let plain = without { x.linear(weight, bias: bias).gradients(seed: seed) }
      #expect(found.scalars == plain[leaf]?.scalars)
    }
  }
}
