import ItoTensors
import ItoTestSupport
import Testing

@Suite("Pooling") struct PoolingTests {
  struct Case: CustomStringConvertible {
    var window: (height: Int, width: Int)
    var stride: (height: Int, width: Int)?
    var description: String { "window \(window) stride \(stride.map { "\($0)" } ?? "-")" }
  }
  static let cases = [
    Case(window: (2, 2)), Case(window: (3, 3), stride: (2, 2)),
    Case(window: (2, 3), stride: (1, 2)),
    Case(window: (1, 1)), Case(window: (7, 9)), Case(window: (2, 2), stride: (3, 3)),
  ]

  private func naivePool(_ x: Tensor, _ c: Case, _ combine: ([Float]) -> Float) -> Tensor {
    let e = Elements(x)
    let s = c.stride ?? c.window
    let height = (x.shape[1] - c.window.height) / s.height + 1
    let width = (x.shape[2] - c.window.width) / s.width + 1
    return naive([x.shape[0], height, width, x.shape[3]], dtype: x.dtype) { at in
      var values: [Float] = []
      for i in 0..<c.window.height {
        for j in 0..<c.window.width {
          values.append(e[at[0], at[1] * s.height + i, at[2] * s.width + j, at[3]])
        }
      }
      return combine(values)
    }
  }

  @Test("windows against loops", arguments: [DType.float32, .bfloat16, .float16])
  func windows(_ dtype: DType) {
    let relative =
      dtype == .float32
      ? Tolerances.reduction : dtype == .bfloat16 ? Tolerances.bfloat16 : Tolerances.float16
    for channels in [1, 5, 40] {
      let x = randomTensor([2, 7, 9, channels], seed: 1, dtype: dtype)
      for c in Self.cases {
        let mean = naivePool(x, c) { $0.reduce(0, +) / Float($0.count) }
        let found = x.averagePooled(window: c.window, stride: c.stride)
        #expect(mismatch(found, mean, relative: relative, absolute: relative) == nil, "\(c)")
        let largest = naivePool(x, c) { $0.max() ?? .nan }
        #expect(mismatch(x.maxPooled(window: c.window, stride: c.stride), largest) == nil, "\(c)")
      }
    }
    let x = randomTensor([1, 6, 6, 3], seed: 2, dtype: dtype)
    #expect(
      mismatch(x.maxPooled(window: 3, stride: 1), x.maxPooled(window: (3, 3), stride: (1, 1)))
        == nil)
    #expect(mismatch(x.averagePooled(window: 2), x.averagePooled(window: (2, 2))) == nil)
  }

  @Test func largestOfNaNIsNaN() {
    let x = Tensor([1, .nan, 3, 0, 5, 2, 7, .nan], shape: [1, 2, 4, 1])
    let notNaN = x.maxPooled(window: 2).scalars.filter { !$0.isNaN }
    #expect(notNaN == [])
  }

  @Test func sendsGradientsBack() {
    // A permutation of evenly spaced values: no near ties at the checker's step.
    let count = 2 * 7 * 9 * 3
    let x = Tensor(
      (0..<count).map { 4 * Float(($0 * 101) % count) / Float(count) - 2 }, shape: [2, 7, 9, 3])
    for c in Self.cases {
      let average = checkGradients(
        of: { $0[0].averagePooled(window: c.window, stride: c.stride) }, at: [x])
      #expect(average.failure == nil, "\(c)")
      let largest = checkGradients(
        of: { $0[0].maxPooled(window: c.window, stride: c.stride) }, at: [x], step: 1e-3)
      #expect(largest.failure == nil, "\(c)")
    }
  }

  @Test("on a tie the gradient goes to the first", arguments: [DType.float32, .bfloat16])
  func ties(_ dtype: DType) {
    let (x, leaf) = Tensor(repeating: 1, shape: [1, 2, 4, 1], dtype: dtype).tracked()
    let gradient = x.maxPooled(window: 2).gradients()[leaf]
    #expect(gradient?.scalars == [1, 0, 1, 0, 0, 0, 0, 0])
    #expect(gradient?.dtype == dtype)
  }
}
