import Foundation
import ItoTensors
import ItoTestSupport
import Testing

/// One elementwise function: the operation, its double-precision reference, the domain to draw from.
struct ElementwiseCase: Sendable, CustomTestStringConvertible {
  let name: String
  let operation: @Sendable (Tensor) -> Tensor
  let reference: @Sendable (Double) -> Double
  var domain: ClosedRange<Double> = -6...6
  /// Largest error allowed, in units in the last place of the exact result.
  var ulps = 2.0
  /// Error allowed besides, for functions made of a cancelling sum.
  var absolute = 0.0
  var testDescription: String { name }
}

private let cases: [ElementwiseCase] = [
  .init(name: "exp", operation: { $0.exp() }, reference: { exp($0) }, domain: -100...88),
  .init(name: "log", operation: { $0.log() }, reference: { log($0) }, domain: 1e-3...1e3),
  .init(name: "sqrt", operation: { $0.sqrt() }, reference: { sqrt($0) }, domain: 1e-3...1e3),
  .init(name: "rsqrt", operation: { $0.rsqrt() }, reference: { 1 / sqrt($0) }, domain: 1e-3...1e3),
  .init(name: "abs", operation: { $0.abs() }, reference: { abs($0) }),
  .init(name: "squared", operation: { $0.squared() }, reference: { $0 * $0 }),
  .init(name: "reciprocal", operation: { $0.reciprocal() }, reference: { 1 / $0 }, domain: 0.1...9),
  .init(name: "sin", operation: { $0.sin() }, reference: { sin($0) }, domain: -3000...3000),
  .init(name: "cos", operation: { $0.cos() }, reference: { cos($0) }, domain: -3000...3000),
  .init(name: "tanh", operation: { $0.tanh() }, reference: { tanh($0) }),
  .init(name: "erf", operation: { $0.erf() }, reference: { erf($0) }),
  .init(
    name: "sigmoid", operation: { $0.sigmoid() }, reference: { 1 / (1 + exp(-$0)) },
    domain: -80...80, ulps: 3),
  .init(
    name: "clamped", operation: { $0.clamped(to: -1.5...2.25) },
    reference: { min(max($0, -1.5), 2.25) }),
]

/// Distance between neighbouring floats at `value`.
private func ulp(_ value: Double) -> Double {
  let size = max(abs(value), Double(Float.leastNormalMagnitude))
  return Double(Float(min(size, Double(Float.greatestFiniteMagnitude))).ulp)
}

/// Checks `operation` against its reference over its domain, in float32 and bfloat16.
func checkElementwise(_ c: ElementwiseCase, seed: UInt64 = 7) {
  var generator = SplitMix64(seed: seed)
  // Odd, so that vector loops have a remainder.
  let inputs = (0..<4099).map { _ in
    Float(c.domain.lowerBound + (c.domain.upperBound - c.domain.lowerBound) * generator.uniform())
  }
  let x = Tensor(inputs, shape: [4099])
  atEveryInstructionSet { level in
    let y = c.operation(x).scalars
    var worst = (error: 0.0, at: Float(0))
    for (input, output) in zip(inputs, y) {
      let exact = c.reference(Double(input))
      let error = max(0, abs(Double(output) - exact) - c.absolute) / ulp(exact)
      if !(error <= worst.error) { worst = (error, input) }
    }
    #expect(worst.error <= c.ulps, "\(level): \(worst.error) ulp at \(worst.at)")

    let half = c.operation(x.cast(to: .bfloat16))
    let expected = roundedToBFloat16(x).map { Float(c.reference(Double($0))) }
    #expect(half.dtype == .bfloat16)
    // Subnormal results may become zero.
    let absolute = max(Float(c.absolute), Float.leastNormalMagnitude)
    #expect(
      mismatch(half, expected, relative: 4.1e-3, absolute: absolute) == nil, "\(level)")
  }
}

extension KernelTests {
  @Suite("Elementwise functions") struct UnaryTests {
    @Test("value", arguments: cases) func value(c: ElementwiseCase) { checkElementwise(c) }

    @Test("gradient", arguments: cases) func gradient(c: ElementwiseCase) {
      // Inputs near 1, on which every function here is smooth and none overflows; the clamp's limit
      // of 2.25 leaves some on either side.
      let x = Tensor((0..<37).map { Float(0.3 + 0.0637 * Double($0)) }, shape: [37])
      atEveryInstructionSet { level in
        let report = checkGradients(of: { c.operation($0[0]) }, at: [x], step: 2e-3)
        #expect(report.failure == nil, "\(level)")
        #expect(report.comparisons == 37)
      }
    }

    @Test("bfloat16 gradient is the float32 one, rounded", arguments: cases)
    func halfGradient(c: ElementwiseCase) {
      let x = randomTensor([131], seed: 3, scale: 0.4, offset: 2).cast(to: .bfloat16)
      let g = randomTensor([131], seed: 4).cast(to: .bfloat16)
      func gradient(_ dtype: DType) -> Tensor {
        let (input, leaf) = x.cast(to: dtype).tracked()
        return c.operation(input).gradients(seed: g.cast(to: dtype))[leaf]!
      }
      atEveryInstructionSet { level in
        let half = gradient(.bfloat16)
        #expect(half.dtype == .bfloat16)
        // A result y saved in bfloat16 carries 2⁻⁹ into a cube of itself.
        let full = gradient(.float32).scalars
        #expect(mismatch(half, full, relative: 1.5e-2, absolute: 1e-6) == nil, "\(level)")
      }
    }

    @Test func limits() {
      let inf = Float.infinity
      let x = Tensor(
        [
          -inf, inf, .nan, 0, -1, Float(sign: .plus, exponent: -140, significand: 1), 3e38, 100,
          -104.5, -100,
        ], shape: [10])
      atEveryInstructionSet { level in
        let exponential = x.exp().scalars
        #expect(exponential[0] == 0 && exponential[1] == inf && exponential[2].isNaN, "\(level)")
        #expect(exponential[3] == 1 && exponential[7] == inf && exponential[8] == 0, "\(level)")
        #expect(exponential[9] == Float(exp(-100.0)), "\(level): subnormal results")
        let logarithm = x.log().scalars
        #expect(logarithm[0].isNaN && logarithm[1] == inf && logarithm[2].isNaN, "\(level)")
        #expect(logarithm[3] == -inf && logarithm[4].isNaN, "\(level)")
        #expect(abs(logarithm[5] - Float(-140 * log(2.0))) < 1e-5, "\(level): subnormal")
        for (y, top) in [(x.tanh(), Float(-1)), (x.erf(), -1), (x.sigmoid(), 0)] {
          let v = y.scalars
          #expect(v[0] == top && v[1] == 1 && v[2].isNaN, "\(level)")
          #expect(v[6] == 1 && v[7] == 1, "\(level)")
        }
        let limited = x.clamped(to: -2...2).scalars
        #expect(limited[0] == -2 && limited[1] == 2 && limited[2].isNaN, "\(level)")
        for y in [x.sin(), x.cos()] {
          #expect(y.scalars[..<3].allSatisfy { $0.isNaN }, "\(level)")
        }
      }
    }

    @Test("sine and cosine of huge arguments") func hugeAngles() {
      let angles: [Float] = [1.5e6, -2.5e9, 7.25e15, 3e38, 1e5, 1_048_575, -1_048_577, 0.5]
      let x = Tensor(angles, shape: [8])
      let g = Tensor([Float](repeating: 1, count: 8), shape: [8])
      atEveryInstructionSet { level in
        let sine = angles.map { Float(sin(Double($0))) }
        let cosine = angles.map { Float(cos(Double($0))) }
        #expect(mismatch(x.sin(), sine, absolute: 0) == nil, "\(level)")
        #expect(mismatch(x.cos(), cosine, absolute: 0) == nil, "\(level)")
        let (input, leaf) = x.tracked()
        #expect(mismatch(input.sin().gradients(seed: g)[leaf]!, cosine) == nil, "\(level)")
        let negated = sine.map { -$0 }
        #expect(mismatch(input.cos().gradients(seed: g)[leaf]!, negated) == nil, "\(level)")
      }
    }

    @Test("exp and log over all magnitudes") func allMagnitudes() {
      // Every 65,537th bit pattern: all exponents, both signs, subnormals.
      let inputs = stride(from: UInt32(0), to: 0xff80_0000, by: 65_537).map(Float.init(bitPattern:))
        .filter { !$0.isNaN }
      let x = Tensor(inputs, shape: [inputs.count])
      atEveryInstructionSet { level in
        var worst = (exp: 0.0, log: 0.0)
        let (e, l) = (x.exp().scalars, x.log().scalars)
        for (i, input) in inputs.enumerated() {
          let exact = exp(Double(input))
          if Float(exact).isInfinite {
            #expect(e[i] == .infinity)
          } else {
            // Subnormal results have the spacing of the least normal one.
            let spacing = Double(
              Float(exact).isNormal ? Float(exact).ulp : Float.leastNonzeroMagnitude)
            worst.exp = max(worst.exp, abs(Double(e[i]) - exact) / spacing)
          }
          if input > 0, input.isFinite {
            let exact = log(Double(input))
            worst.log = max(worst.log, abs(Double(l[i]) - exact) / ulp(exact))
          }
        }
        #expect(worst.exp <= 1.1, "\(level)")
        #expect(worst.log <= 1.1, "\(level)")
      }
    }

    @Test func float16GoesThroughFloat32() {
      let x = randomTensor([19], seed: 5).cast(to: .float16)
      let y = x.tanh()
      #expect(y.dtype == .float16)
      #expect(mismatch(y, x.scalars.map { tanh($0) }, relative: Tolerances.float16) == nil)
      let (input, leaf) = x.tracked()
      let gradient = input.squared().gradients()[leaf]!
      #expect(gradient.dtype == .float16)
      #expect(mismatch(gradient, x.scalars.map { 2 * $0 }, relative: Tolerances.float16) == nil)
    }

    @Test func emptyTensorsPass() {
      #expect(Tensor(zeros: [0, 3]).exp().shape == [0, 3])
    }
  }
}
