import ItoTensors
import ItoTestSupport
import Testing

@Suite("Rotary embedding") struct RotaryTests {
  /// Complex multiplication by e^{iθ}, from the angle.
  private func naiveRotary(
    _ x: Tensor, _ angles: Tensor, _ layout: RotaryLayout, _ axis: Int
  ) -> Tensor {
    let (e, a) = (Elements(x), Elements(angles))
    let pairs = angles.shape[-1]
    return naive(x.shape, dtype: x.dtype) { at in
      let feature = at[at.count - 1]
      if feature >= 2 * pairs { return e[at] }
      let pair = layout == .interleaved ? feature / 2 : feature % pairs
      let isSecond = layout == .interleaved ? feature % 2 == 1 : feature >= pairs
      var other = at
      let distance = layout == .interleaved ? 1 : pairs
      other[at.count - 1] += isSecond ? -distance : distance
      let angle = angles.shape.rank == 3 ? a[at[0], at[axis], pair] : a[at[axis], pair]
      let (cosine, sine) = (cosine(angle), cosine(angle - .pi / 2))
      return isSecond ? cosine * e[at] + sine * e[other] : cosine * e[at] - sine * e[other]
    }
  }

  /// By Taylor's series, so that the test shares no code with what it tests.
  private func cosine(_ x: Float) -> Float {
    var (term, sum) = (1.0, 1.0)
    let y = Double(x)
    for k in stride(from: 1.0, through: 59, by: 2) {
      term *= -y * y / (k * (k + 1))
      sum += term
    }
    return Float(sum)
  }

  private func tables(_ angles: Tensor) -> (Tensor, Tensor) {
    let values = angles.scalars
    return (
      Tensor(values.map { cosine($0) }, shape: angles.shape),
      Tensor(values.map { cosine($0 - .pi / 2) }, shape: angles.shape)
    )
  }

  struct Case: CustomStringConvertible {
    var shape: Shape, axis: Int, angles: Shape
    var description: String { "\(shape) tokens on \(axis), tables \(angles)" }
  }
  static let cases = [
    Case(shape: [2, 5, 3, 8], axis: 1, angles: [5, 4]),
    Case(shape: [2, 3, 5, 8], axis: 2, angles: [5, 4]),
    Case(shape: [2, 3, 5, 8], axis: 2, angles: [2, 5, 4]),
    Case(shape: [3, 7, 2, 34], axis: 1, angles: [3, 7, 17]),
    Case(shape: [5, 6], axis: 0, angles: [5, 3]),
    Case(shape: [2, 5, 3, 11], axis: -3, angles: [5, 4]),
    Case(shape: [1, 300, 4, 64], axis: 1, angles: [300, 32]),
  ]

  @Test("both layouts against complex products", arguments: [DType.float32, .bfloat16, .float16])
  func rotates(_ dtype: DType) {
    let tolerance =
      dtype == .float32 ? 2e-6 : dtype == .bfloat16 ? Tolerances.bfloat16 : Tolerances.float16
    for c in Self.cases {
      let x = randomTensor(c.shape, seed: 1, dtype: dtype)
      let angles = randomTensor(c.angles, seed: 2, scale: 2)
      let (cosines, sines) = tables(angles)
      for layout in [RotaryLayout.interleaved, .halves] {
        let found = x.rotated(cos: cosines, sin: sines, layout: layout, tokenAxis: c.axis)
        let expected = naiveRotary(
          x, angles, layout, c.shape.rank + (c.axis < 0 ? c.axis : c.axis - c.shape.rank))
        #expect(
          mismatch(found, expected, relative: tolerance, absolute: tolerance) == nil,
          "\(c) \(layout)")
      }
    }
  }

  @Test func everyInstructionSetAgrees() {
    let x = randomTensor([2, 9, 3, 38], seed: 3)
    let angles = randomTensor([9, 19], seed: 4)
    let (cosines, sines) = tables(angles)
    for layout in [RotaryLayout.interleaved, .halves] {
      let expected = naiveRotary(x, angles, layout, 1)
      atEveryInstructionSet { level in
        let found = x.rotated(cos: cosines, sin: sines, layout: layout)
        #expect(mismatch(found, expected, relative: 2e-6, absolute: 2e-6) == nil, "\(level)")
      }
    }
  }

  @Test func tablesHoldTheAnglesOfPositions() {
    let positions = Tensor([0, 1, 2.5, 100, 7, 3], shape: [2, 3])
    let (cosines, sines) = Tensor.rotaryTables(positions: positions, features: 4, base: 100)
    #expect(cosines.shape == [2, 3, 2])
    // Angles p and p/10.
    let expectedCosines: [Float] = [
      1, 1, 0.54030231, 0.99500417, -0.80114362, 0.96891242, 0.86231887, -0.83907153, 0.75390225,
      0.76484219, -0.9899925, 0.95533649,
    ]
    let expectedSines: [Float] = [
      0, 0, 0.84147098, 0.09983342, 0.59847214, 0.24740396, -0.50636564, -0.54402111, 0.6569866,
      0.64421769, 0.14112001, 0.29552021,
    ]
    #expect(mismatch(cosines, expectedCosines, absolute: 1e-6) == nil)
    #expect(mismatch(sines, expectedSines, absolute: 1e-6) == nil)
  }

  @Test("products of rotated vectors depend on the distance of positions only")
  func relative() {
    let q = randomTensor([1, 1, 1, 16], seed: 5), k = randomTensor([1, 1, 1, 16], seed: 6)
    func product(_ p: Float, _ r: Float) -> Float {
      func at(_ x: Tensor, _ position: Float) -> Tensor {
        let (cosines, sines) = Tensor.rotaryTables(
          positions: Tensor([position], shape: [1]), features: 16)
        return x.rotated(cos: cosines, sin: sines)
      }
      return (at(q, p) * at(k, r)).sum().item
    }
    #expect(abs(product(3, 8) - product(13, 18)) < 1e-5)
    #expect(abs(product(3, 8) - product(3, 9)) > 1e-3)
  }

  @Test func sendsGradientsBack() {
    for c in Self.cases.dropLast() {
      let x = randomTensor(c.shape, seed: 7)
      let (cosines, sines) = tables(randomTensor(c.angles, seed: 8))
      for layout in [RotaryLayout.interleaved, .halves] {
        let report = checkGradients(
          of: { $0[0].rotated(cos: cosines, sin: sines, layout: layout, tokenAxis: c.axis) },
          at: [x])
        #expect(report.failure == nil, "\(c) \(layout)")
      }
    }
  }
}
