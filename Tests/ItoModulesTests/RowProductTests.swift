import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

/// Layers that compute each row by itself, in every form of weight.
@Suite("Products row by row")
struct RowProductTests {
  private let x = randomTensor([5, 6], seed: 1)
  private let base = DenseWeight(randomTensor([4, 6], seed: 2))

  /// A form that has an ordinary product only.
  private struct Foreign: WeightMatrix {
    var inner: DenseWeight
    var outFeatures: Int { inner.outFeatures }
    var inFeatures: Int { inner.inFeatures }
    func apply(to x: Tensor, bias: Tensor?) -> Tensor { inner.apply(to: x, bias: bias) }
    func dense() -> Tensor { inner.dense() }
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.child("inner", &inner)
    }
  }

  private func adapted(_ strength: Double, _ along: Bool? = nil) -> AdaptedWeight {
    let delta = LowRankDelta(
      down: randomTensor([2, 6], seed: 3), up: randomTensor([4, 2], seed: 4), scale: 0.5)
    let decomposition = along.map {
      WeightDecomposition(
        magnitude: randomTensor([$0 ? 6 : 4], seed: 5, offset: 1),
        of: base.values + delta.dense(), isAlongInput: $0)
    }
    return AdaptedWeight(
      base, delta: delta, biasDelta: randomTensor([4], seed: 6), decomposition: decomposition,
      strength: strength)
  }

  @Test("every form has each row's own bits, and the ordinary product")
  func forms() {
    let half = HalfWeight(base.values.cast(to: .bfloat16))
    let forms: [any WeightMatrix] = [
      base, half, Foreign(inner: base), adapted(0.7), adapted(0.7, true), adapted(0.7, false),
    ]
    let r = randomTensor([5, 4], seed: 8)
    for form in forms {
      let layer = Linear(weight: form, bias: randomTensor([4], seed: 7))
      let all = layer(rows: x, adding: r, activation: .silu)
      #expect(mismatch(all, layer(x, adding: r, activation: .silu), relative: 1e-5) == nil)
      for i in 0..<5 {
        let one = layer(
          rows: x.sliced(i..<i + 1, axis: 0), adding: r.sliced(i..<i + 1, axis: 0),
          activation: .silu)
        #expect(one.scalars == all.sliced(i..<i + 1, axis: 0).scalars, "\(type(of: form)) row \(i)")
      }
    }
  }

  @Test("an adapter of strength 0 changes no bit")
  func off() {
    let bias = randomTensor([4], seed: 7)
    let plain = Linear(weight: base, bias: bias), off = Linear(weight: adapted(0), bias: bias)
    #expect(off(rows: x, activation: .silu).scalars == plain(rows: x, activation: .silu).scalars)
  }
}
