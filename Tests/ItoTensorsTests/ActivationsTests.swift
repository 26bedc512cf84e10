import Foundation
import ItoTensors
import ItoTestSupport
import Testing

private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

private let cases: [ElementwiseCase] = [
  .init(
    name: "silu", operation: { $0.silu() }, reference: { $0 / (1 + exp(-$0)) }, domain: -30...30,
    ulps: 4),
  .init(
    name: "gelu", operation: { $0.gelu() }, reference: { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) },
    domain: -9...9, ulps: 3, absolute: 3e-7),
  .init(
    name: "geluTanh", operation: { $0.geluTanh() },
    reference: {
      0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
    }, domain: -9...9, ulps: 4, absolute: 3e-7),
  .init(
    name: "quickGELU", operation: { $0.quickGELU() }, reference: { $0 / (1 + exp(-1.702 * $0)) },
    domain: -20...20, ulps: 4, absolute: 3e-7),
  .init(name: "relu", operation: { $0.relu() }, reference: { max($0, 0) }),
  .init(
    name: "mish", operation: { $0.mish() }, reference: { $0 * tanh(softplus($0)) },
    domain: -30...30, ulps: 5),
  .init(
    name: "softplus", operation: { $0.softplus() }, reference: softplus, domain: -30...30, ulps: 3),
]

extension KernelTests {
  @Suite("Activations") struct ActivationsTests {
    @Test("value", arguments: cases) func value(c: ElementwiseCase) { checkElementwise(c) }

    @Test("gradient", arguments: cases) func gradient(c: ElementwiseCase) {
      // Across the bend, clear of the kink of relu at zero.
      let x = Tensor((0..<40).map { Float(-5.03 + 0.26 * Double($0)) }, shape: [4, 10])
      atEveryInstructionSet { level in
        let report = checkGradients(of: { c.operation($0[0]) }, at: [x], step: 5e-3)
        #expect(report.failure == nil, "\(level)")
      }
    }

    @Test("far from zero nothing overflows", arguments: cases) func farOut(c: ElementwiseCase) {
      let values: [Float] = [-1e30, -2000, -90, 90, 2000, 1e30]
      let x = Tensor(values, shape: [6])
      atEveryInstructionSet { level in
        let (input, leaf) = x.tracked()
        let y = c.operation(input)
        #expect(mismatch(y.detached(), values.map { max($0, 0) }) == nil, "\(level)")
        let slope = y.gradients()[leaf]!
        #expect(mismatch(slope, [0, 0, 0, 1, 1, 1]) == nil, "\(level)")
      }
    }

    @Test("NaN stays NaN", arguments: cases) func nan(c: ElementwiseCase) {
      let x = Tensor([Float](repeating: .nan, count: 21), shape: [21])
      atEveryInstructionSet { level in
        for dtype in [DType.float32, .bfloat16] {
          #expect(
            c.operation(x.cast(to: dtype)).scalars.allSatisfy { $0.isNaN }, "\(level) \(dtype)")
        }
      }
    }

    @Test("by name", arguments: Activation.allCases) func byName(activation: Activation) {
      let functions: [Activation: (Tensor) -> Tensor] = [
        .silu: { $0.silu() }, .gelu: { $0.gelu() }, .geluTanh: { $0.geluTanh() },
        .quickGELU: { $0.quickGELU() }, .relu: { $0.relu() }, .mish: { $0.mish() },
      ]
      let x = randomTensor([17], seed: 9)
      let expected = functions[activation]!(x).scalars
      #expect(x.activated(by: activation).scalars == expected)
    }
  }
}
