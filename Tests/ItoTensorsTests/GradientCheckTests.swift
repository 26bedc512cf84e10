import ItoTensors
import ItoTestSupport
import Testing

private func multiply(_ a: Tensor, _ b: Tensor, _ scale: Float = 1) -> Tensor {
  Tensor(zip(a.scalars, b.scalars).map { $0 * $1 * scale }, shape: a.shape)
}

/// The product; the gradient it records for `x` is `factor` times the right one.
private func product(_ x: Tensor, _ y: Tensor, gradientFactor factor: Float = 1) -> Tensor {
  multiply(x, y).recorded(from: [x, y]) { [x = x.detached(), y = y.detached()] g in
    [multiply(g, y, factor), multiply(g, x)]
  }
}

@Suite("Gradient checker") struct GradientCheckTests {
  let x = randomTensor([3, 5], seed: 1)
  let y = randomTensor([3, 5], seed: 2)

  @Test func acceptsTheRightGradient() {
    let report = checkGradients(of: { product($0[0], $0[1]) }, at: [x, y])
    #expect(report.failure == nil)
    #expect(report.comparisons == 30)
    #expect(report.worst < 1e-4)
  }

  @Test(
    "sees a factor, a sign and a missing gradient",
    arguments: [(1.02, 0.0196), (-1, 2), (0, 1)] as [(Float, Double)])
  func catchesWrongGradients(factor: Float, error: Double) {
    let report = checkGradients(
      of: { product($0[0], $0[1], gradientFactor: factor) }, at: [x, y])
    #expect(report.failure != nil)
    #expect(abs(report.worst - error) < 1e-3)
  }

  @Test func catchesOneWrongElementAndNonFiniteOnes() {
    for bad: Float in [0.5, .nan, .infinity] {
      let report = checkGradients(
        of: { t in
          Tensor(t[0].scalars.map { $0 * $0 }, shape: t[0].shape)
            .recorded(from: t) { [x = t[0].scalars, shape = t[0].shape] g in
              var values = zip(g.scalars, x).map { 2 * $0 * $1 }
              values[7] += bad
              return [Tensor(values, shape: shape)]
            }
        }, at: [x])
      #expect(report.failure?.contains("[1, 2]") == true)
    }
  }

  @Test func catchesAGradientOfAnotherShape() {
    let report = checkGradients(
      of: { t in
        Tensor(t[0].scalars, shape: t[0].shape).recorded(from: t) { _ in [Tensor(zeros: [15])] }
      }, at: [x])
    #expect(report.worst == .infinity)
  }

  @Test func catchesAForgottenRecord() {
    let report = checkGradients(of: { Tensor($0[0].scalars, shape: $0[0].shape) }, at: [x])
    #expect(report.failure != nil)
  }

  @Test func comparisonsSeeWhatDiffers() {
    let near = Tensor(x.scalars.map { $0 * (1 + 1e-7) }, shape: x.shape)
    #expect(mismatch(near, x) == nil)
    var values = x.scalars
    values[4] += 1
    #expect(mismatch(Tensor(values, shape: x.shape), x)?.contains("[0, 4]") == true)
    values[4] = .nan
    #expect(mismatch(Tensor(values, shape: x.shape), x)?.contains("nan instead") == true)
    #expect(mismatch(x, Tensor(x.scalars, shape: [5, 3])) != nil)
    #expect(mismatch(x.cast(to: .bfloat16), x) != nil)
    let integers = Tensor([1, 2, 3] as [Int32], shape: [3])
    #expect(
      mismatch(integers, Tensor([1, 5, 3] as [Int32], shape: [3]))?.contains("2 instead") == true)
    let doubled = Tensor(x.scalars.map { 2 * $0 }, shape: x.shape)
    #expect(abs(relativeRMSError(doubled, x) - 1) < 1e-6)
  }

  @Test func randomTensorsAreAFunctionOfTheSeed() {
    let many = randomTensor([20_000], seed: 3, scale: 2, offset: 1).scalars.map(Double.init)
    let mean = many.reduce(0, +) / 20_000
    let variance = many.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean - 1) < 0.06)
    #expect(abs(variance - 4) < 0.2)
    #expect(randomTensor([9], seed: 4).scalars == randomTensor([9], seed: 4).scalars)
    #expect(randomTensor([9], seed: 4).scalars != randomTensor([9], seed: 5).scalars)
    let drawn = Set(randomIntegers([400], in: -2..<3, seed: 6).integers)
    #expect(drawn == [-2, -1, 0, 1, 2])
  }
}
