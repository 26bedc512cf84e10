import Foundation
import ItoTensors
import ItoTestSupport
import Testing

private func gelu(_ x: Float) -> Float { 0.5 * x * erfc(-x * Float(0.5).squareRoot()) }
private func silu(_ x: Float) -> Float { x / (1 + exp(-x)) }

/// `x` of [rows, 2n] with `combine(first half, second half)`.
private func halves(_ x: [Float], _ n: Int, _ combine: (Float, Float) -> Float) -> [Float] {
  (0..<x.count / (2 * n)).flatMap { row in
    (0..<n).map { combine(x[2 * n * row + $0], x[2 * n * row + n + $0]) }
  }
}

extension KernelTests {
  @Suite("Gated linear units") struct GatedLinearUnitsTests {
    @Test("value", arguments: [1, 5, 16, 37]) func value(n: Int) {
      let x = randomTensor([2, 3, 2 * n], seed: 1, scale: 2)
      let v = x.scalars
      let rounded = roundedToBFloat16(x)
      let all: [((Tensor) -> Tensor, (Float, Float) -> Float)] = [
        ({ $0.geglu() }, { $0 * gelu($1) }),
        ({ $0.swiGLU() }, { silu($0) * $1 }),
        ({ $0.swiGLU(gate: .second) }, { $0 * silu($1) }),
      ]
      atEveryInstructionSet { level in
        for (operation, combine) in all {
          let y = operation(x)
          #expect(y.shape == [2, 3, n])
          #expect(mismatch(y, halves(v, n, combine), absolute: 2e-6) == nil, "\(level)")
          let half = operation(x.cast(to: .bfloat16))
          let expected = halves(rounded, n, combine)
          #expect(
            mismatch(half, expected, relative: Tolerances.bfloat16, absolute: 1e-5) == nil,
            "\(level)")
        }
      }
    }

    @Test("gradient", arguments: [1, 7, 18]) func gradient(n: Int) {
      let x = randomTensor([3, 2 * n], seed: 2)
      atEveryInstructionSet { level in
        for operation: (Tensor) -> Tensor in [
          { $0.geglu() }, { $0.swiGLU() }, { $0.swiGLU(gate: .second) },
        ] {
          #expect(checkGradients(of: { operation($0[0]) }, at: [x]).failure == nil, "\(level)")
        }
      }
    }

    @Test func bfloat16Gradient() {
      let x = randomTensor([5, 66], seed: 2).cast(to: .bfloat16)
      let g = randomTensor([5, 33], seed: 3).cast(to: .bfloat16)
      func gradient(_ dtype: DType) -> Tensor {
        let (input, leaf) = x.cast(to: dtype).tracked()
        return input.geglu().gradients(seed: g.cast(to: dtype))[leaf]!
      }
      atEveryInstructionSet { level in
        let (half, full) = (gradient(.bfloat16), gradient(.float32))
        #expect(
          mismatch(half, full.scalars, relative: Tolerances.bfloat16, absolute: 1e-6) == nil,
          "\(level)")
      }
    }
  }
}
