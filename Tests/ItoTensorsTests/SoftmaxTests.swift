import ItoTensors
import ItoTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension KernelTests {
  @Suite("Softmax and cross entropy")
  struct SoftmaxTests {
    static let shapes: [Shape] = [[1], [5, 7], [3, 1], [2, 3, 64], [70, 1000], [4, 33]]

    /// log Σ exp of a row, in double precision.
    private func logSum(_ row: ArraySlice<Float>) -> Double {
      let m = Double(row.max() ?? 0)
      return m + log(row.reduce(0) { $0 + exp(Double($1) - m) })
    }

    private func logarithms(_ x: Tensor) -> [Float] {
      let n = x.shape[-1], values = x.scalars
      return values.indices.map { i in
        let first = i / n * n
        return Float(Double(values[i]) - logSum(values[first..<first + n]))
      }
    }

    @Test("like a loop on every instruction set", arguments: shapes)
    func forward(_ shape: Shape) {
      let x = randomTensor(shape, seed: 1) * 4 + 30
      let expected = logarithms(x), half = x.cast(to: .bfloat16)
      let expectedHalf = logarithms(half.cast(to: .float32))
      atEveryInstructionSet { _ in
        #expect(mismatch(x.logSoftmax(), expected, absolute: 1e-5) == nil)
        #expect(
          mismatch(x.softmax(), expected.map { Float(exp(Double($0))) }, absolute: 1e-6) == nil)
        #expect(half.softmax().dtype == .bfloat16)
        let rounded = half.softmax().cast(to: .float32)
        #expect(
          mismatch(rounded, expectedHalf.map { Float(exp(Double($0))) }, absolute: 4e-3) == nil)
      }
    }

    @Test("large, equal and excluded logits")
    func extremes() {
      atEveryInstructionSet { _ in
        let x = Tensor([Float](arrayLiteral: 1e30, 1e30, -1e30, -.infinity), shape: [1, 4])
        #expect(x.softmax().scalars == [0.5, 0.5, 0, 0])
        let nothing = Tensor([-Float.infinity, -.infinity], shape: [1, 2]).softmax()
        #expect(nothing.scalars.allSatisfy { $0.isNaN })
        #expect(Tensor([1, .nan, 2], shape: [1, 3]).logSoftmax().scalars.allSatisfy { $0.isNaN })
      }
    }

    @Test("along another axis")
    func axes() {
      let x = randomTensor([3, 5, 4], seed: 2)
      #expect(x.softmax(axis: 1).scalars == x.permuted(0, 2, 1).softmax().permuted(0, 2, 1).scalars)
      let sums = x.softmax(axis: 0).sum(axes: [0])
      #expect(mismatch(sums, [Float](repeating: 1, count: 20), absolute: 1e-6) == nil)
    }

    @Test("gradients", arguments: [Shape([5, 7]), [2, 3, 64], [4, 33]])
    func gradients(_ shape: Shape) {
      let x = randomTensor(shape, seed: 3) * 2
      #expect(checkGradients(of: { $0[0].softmax() }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].logSoftmax() }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].softmax(axis: 0) }, at: [x]).failure == nil)
    }

    @Test("cross entropy like its definition, gradient included", arguments: [0, 0.1, 1])
    func crossEntropy(_ smoothing: Double) {
      let n = 37
      let x = randomTensor([6, 37], seed: 4) * 3 + 20
      let labels: [Int32] = [0, 36, 5, 5, 17, 35]
      let logs = logarithms(x)
      let expected = labels.indices.map { r in
        Float(
          (0..<n).reduce(0.0) { sum, c in
            let q = smoothing / Double(n) + (c == Int(labels[r]) ? 1 - smoothing : 0)
            return sum - q * Double(logs[r * n + c])
          })
      }
      atEveryInstructionSet { _ in
        let loss = x.crossEntropy(labels, smoothing: smoothing)
        #expect(loss.shape == [6])
        #expect(mismatch(loss, expected, absolute: 2e-5) == nil)
        let half = x.cast(to: .bfloat16).crossEntropy(labels, smoothing: smoothing)
        #expect(half.dtype == .float32)
        #expect(mismatch(half, expected, absolute: 0.15) == nil)
      }
      // Steps are in units of the logits' size, most of which is their common offset.
      let report = checkGradients(
        of: { $0[0].crossEntropy(labels, smoothing: smoothing) }, at: [x], step: 1e-3)
      #expect(report.failure == nil)
    }
  }
}
