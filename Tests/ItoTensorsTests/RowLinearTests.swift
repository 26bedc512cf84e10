import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  /// Products whose rows do not depend on each other.
  @Suite("Linear layers by row")
  struct RowLinearTests {
    /// A weight, and the type it is multiplied in.
    enum Form: CaseIterable, Sendable {
      case float32, bfloat16, widenedBFloat16, widenedFloat16

      var stored: DType {
        switch self {
        case .float32: .float32
        case .bfloat16, .widenedBFloat16: .bfloat16
        case .widenedFloat16: .float16
        }
      }
      var computed: DType { self == .bfloat16 ? .bfloat16 : .float32 }
    }

    // Rows at once and depth of a block, whole and cut off; 513 rows take several blocks.
    static let sizes = [(2, 9, 1), (13, 40, 33), (64, 17, 800), (70, 320, 385), (513, 24, 31)]

    @Test(
      "each row has the bits it has alone, on any number of threads", arguments: sizes,
      Form.allCases)
    func alone(_ size: (Int, Int, Int), _ form: Form) {
      let (m, n, k) = size
      let x = randomTensor([m, k], seed: 1, dtype: form.computed)
      let w = (randomTensor([n, k], seed: 2) * 0.1).cast(to: form.stored)
      let b = randomTensor([n], seed: 3), r = randomTensor([m, n], seed: 4, dtype: form.computed)
      let before = Runtime.threads
      defer { Runtime.threads = before }
      atEveryInstructionSet { level in
        func product(_ rows: Range<Int>) -> Tensor {
          x.sliced(rows, axis: 0).linearByRow(
            w, bias: b, computing: form.computed,
            then: Epilogue(adding: r.sliced(rows, axis: 0), activation: .silu))
        }
        let all = product(0..<m)
        #expect(all.dtype == form.computed)
        // Some of the rows, not all: every position in a block and every size of a last one.
        for row in stride(from: 0, to: m, by: m > 100 ? 37 : 1) {
          Runtime.threads = 1 + row % 3
          let one = product(row..<row + 1), some = product(row..<min(m, row + 5))
          #expect(one.scalars == all.sliced(row..<row + 1, axis: 0).scalars, "\(level) row \(row)")
          #expect(some.sliced(0..<1, axis: 0).scalars == one.scalars, "\(level) row \(row) of 5")
        }
        Runtime.threads = before
        let ordinary = x.linear(
          w, bias: b, computing: form.computed, then: Epilogue(adding: r, activation: .silu))
        let bound = form.computed == .float32 ? 1e-6 : 5e-3
        #expect(relativeRMSError(all.cast(to: .float32), ordinary.cast(to: .float32)) < bound)
      }
    }

    @Test("a bfloat16 result is the exact sum rounded once")
    func roundedOnce() {
      // 1 + 2⁻⁹ + 2⁻⁹ is between two bfloat16s only when the parts are not rounded on the way.
      let x = Tensor([1, 1, 1], shape: [1, 3]).cast(to: .bfloat16)
      let w = Tensor([1, 1 / 512, 1 / 512], shape: [1, 3]).cast(to: .bfloat16)
      let y = x.linearByRow(w, bias: Tensor([1 / 256], shape: [1]))
      #expect(y.dtype == .bfloat16 && y.scalars == [1 + 1 / 128])
    }

    @Test("gradients are those of the ordinary layer")
    func gradients() {
      let x = randomTensor([3, 7], seed: 1), w = randomTensor([5, 7], seed: 2)
      let b = randomTensor([5], seed: 3)
      let report = checkGradients(of: { $0[0].linearByRow($0[1], bias: $0[2]) }, at: [x, w, b])
      #expect(report.failure == nil)
      #expect(Tensor(zeros: [0, 7]).linearByRow(w, bias: b).shape == [0, 5])
    }
  }
}
