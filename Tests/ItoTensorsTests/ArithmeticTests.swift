import ItoTensors
import ItoTestSupport
import Testing

/// `op` over broadcast shapes, one element at a time.
private func naive(_ a: Tensor, _ b: Tensor, _ op: (Float, Float) -> Float) -> [Float] {
  let rank = max(a.shape.rank, b.shape.rank)
  func padded(_ s: Shape) -> [Int] { [Int](repeating: 1, count: rank - s.rank) + s.dims }
  let (da, db) = (padded(a.shape), padded(b.shape))
  let dims = zip(da, db).map { $0 == 1 ? $1 : $0 }
  let (va, vb) = (a.scalars, b.scalars)
  return (0..<dims.reduce(1, *)).map { flat in
    var rest = flat, ia = 0, ib = 0, sa = 1, sb = 1
    for axis in (0..<rank).reversed() {
      let i = rest % dims[axis]
      rest /= dims[axis]
      if da[axis] != 1 { ia += i * sa }
      if db[axis] != 1 { ib += i * sb }
      sa *= da[axis]
      sb *= db[axis]
    }
    return op(va[ia], vb[ib])
  }
}

@Suite("Arithmetic")
struct ArithmeticTests {
  static let shapes: [(Shape, Shape)] = [
    ([], []), ([5], []), ([1], [7]), ([3, 4], [3, 4]), ([3, 4], [4]), ([3, 4], [3, 1]),
    ([2, 5, 7, 3], [3]), ([2, 5, 7, 3], [2, 1, 1, 3]), ([2, 1, 7, 1], [1, 5, 1, 3]),
    ([4, 33, 65], [33, 1]), ([0, 3], [3]), ([129, 257], [129, 257]), ([1, 6, 1], [4, 1, 5]),
  ]

  @Test("broadcasts like a loop", arguments: shapes)
  func broadcasting(_ a: Shape, _ b: Shape) {
    let x = randomTensor(a, seed: 1), y = randomTensor(b, seed: 2, offset: 3)
    #expect(mismatch(x + y, naive(x, y, +)) == nil)
    #expect(mismatch(x - y, naive(x, y, -)) == nil)
    #expect(mismatch(x * y, naive(x, y, *)) == nil)
    #expect(mismatch(x / y, naive(x, y, /)) == nil)
    #expect(mismatch(Tensor.maximum(x, y), naive(x, y, max)) == nil)
    #expect(mismatch(Tensor.minimum(x, y), naive(x, y, min)) == nil)
    #expect(x.lessThan(y).scalars == naive(x, y) { $0 < $1 ? 1 : 0 })
    #expect(x.greaterThan(y).scalars == naive(x, y) { $0 > $1 ? 1 : 0 })
    let same = x.equal(to: x).scalars
    #expect(same == [Float](repeating: 1, count: same.count))
  }

  @Test("half precision rounds once", arguments: [DType.bfloat16, .float16])
  func halves(_ dtype: DType) {
    let x = randomTensor([5, 67], seed: 1).cast(to: dtype)
    let y = randomTensor([67], seed: 2).cast(to: dtype)
    let expected = (x.cast(to: .float32) + y.cast(to: .float32)).cast(to: dtype)
    #expect((x + y).dtype == dtype)
    #expect((x + y).scalars == expected.scalars)
    // A scalar keeps float32 precision beside a half tensor.
    #expect((0.1 * x).scalars == (0.1 * x.cast(to: .float32)).cast(to: dtype).scalars)
    #expect((x + randomTensor([67], seed: 3)).dtype == .float32)
  }

  @Test("integers stay exact")
  func integers() {
    let big = Tensor([Int64(1) << 60, 7, -7, 5], shape: [4])
    let other = Tensor([Int64(3), 2, 2, 0], shape: [4])
    #expect((big + other).integers == [(1 << 60) + 3, 9, -5, 5])
    #expect((big / other).integers == [(1 << 60) / 3, 3, -3, 0])
    #expect((Tensor([UInt8(200)], shape: [1]) + Tensor([UInt8(100)], shape: [1])).dtype == .uint8)
  }

  @Test("NaN propagates through maximum and minimum")
  func nan() {
    let x = Tensor([Float.nan, 1], shape: [2]), y = Tensor([1, Float.nan], shape: [2])
    #expect(Tensor.maximum(x, y).scalars.filter { !$0.isNaN } == [])
    #expect(Tensor.minimum(x, y).scalars.filter { !$0.isNaN } == [])
  }

  @Test("gradients", arguments: shapes.filter { $0.0.count > 0 && $0.0.count < 2000 })
  func gradients(_ a: Shape, _ b: Shape) {
    let x = randomTensor(a, seed: 3), y = randomTensor(b, seed: 4, offset: 4)
    #expect(checkGradients(of: { $0[0] + $0[1] }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { $0[0] - $0[1] }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { $0[0] * $0[1] }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { $0[0] / $0[1] }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { Tensor.maximum($0[0], $0[1]) }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { Tensor.minimum($0[0], $0[1]) }, at: [x, y]).failure == nil)
    #expect(checkGradients(of: { 3 * $0[0] + 1 - $0[0] / 2 }, at: [x]).failure == nil)
    #expect(checkGradients(of: { $0[0].power(2.5) }, at: [y]).failure == nil)
  }

  @Test("select takes from either side, gradient included")
  func select() {
    let c = Tensor([true, false, true, false, false], shape: [5])
    let x = randomTensor([5], seed: 5), y = randomTensor([5], seed: 6)
    let picked = x.selected(where: c, otherwise: y)
    let expected = (0..<5).map { [0, 2].contains($0) ? x.scalars[$0] : y.scalars[$0] }
    #expect(picked.scalars == expected)
    let report = checkGradients(of: { $0[0].selected(where: c, otherwise: $0[1]) }, at: [x, y])
    #expect(report.failure == nil)
  }

  @Test("a value used twice gets both gradients; a long chain does not overflow")
  func accumulation() {
    let (x, leaf) = Tensor([3], shape: [1]).tracked()
    #expect((x * x + x).gradients()[leaf]?.item == 7)
    var y = x
    for _ in 0..<5000 { y = y + 0 }
    #expect(y.gradients()[leaf]?.item == 1)
  }

  @Test("update writes in place when alone and copies when shared")
  func copyOnWrite() {
    var x = Tensor([1, 2], shape: [2])
    let address = x.storageAddress
    x.update { $0[0] = 5 }
    #expect(x.storageAddress == address)
    let copy = x
    x.update { $0[0] = 6 }
    #expect(copy.scalars == [5, 2])
    #expect(x.scalars == [6, 2])
    #expect(copy.storageAddress == address)
  }
}

@Suite("Reductions")
struct ReductionTests {
  private func naive(
    _ x: Tensor, _ axes: [Int], _ start: Double, _ f: (Double, Double) -> Double
  ) -> [Float] {
    let dims = x.shape.dims
    let kept = dims.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }
    var out = [Double](repeating: start, count: kept.reduce(1, *))
    for (flat, value) in x.scalars.enumerated() {
      var rest = flat, index = 0, stride = 1
      for axis in dims.indices.reversed() {
        let i = rest % dims[axis]
        rest /= dims[axis]
        if !axes.contains(axis) {
          index += i * stride
          stride *= dims[axis]
        }
      }
      out[index] = f(out[index], Double(value))
    }
    return out.map { Float($0) }
  }

  static let cases: [(Shape, [Int])] = [
    ([7], [0]), ([3, 5], [0]), ([3, 5], [1]), ([3, 5], [0, 1]), ([2, 3, 4, 5], [1, 2]),
    ([2, 3, 4, 5], [0, 2]), ([2, 3, 4, 5], [0, 1, 2]), ([2, 3, 4, 5], [3]), ([40001], [0]),
    ([3000, 17], [0]), ([2, 3000, 5], [1]), ([1, 1], [0]), ([5, 33], [1]),
  ]

  @Test("sum, mean, max, min like a loop", arguments: cases)
  func values(_ shape: Shape, _ axes: [Int]) {
    let x = randomTensor(shape, seed: 1)
    let count = Float(axes.map { shape[$0] }.reduce(1, *))
    let sum = naive(x, axes, 0, +)
    #expect(mismatch(x.sum(axes: axes), sum, relative: 1e-5, absolute: 1e-3) == nil)
    #expect(mismatch(x.mean(axes: axes), sum.map { $0 / count }, absolute: 1e-5) == nil)
    #expect(mismatch(x.max(axes: axes), naive(x, axes, -.infinity, Swift.max)) == nil)
    #expect(mismatch(x.min(axes: axes), naive(x, axes, .infinity, Swift.min)) == nil)
    let kept = x.sum(axes: axes, keepingAxes: true)
    #expect(kept.shape.rank == shape.rank)
    #expect(kept.scalars == x.sum(axes: axes).scalars)
  }

  @Test("gradients", arguments: cases.filter { $0.0.count < 2000 })
  func gradients(_ shape: Shape, _ axes: [Int]) {
    let x = randomTensor(shape, seed: 2)
    #expect(checkGradients(of: { $0[0].sum(axes: axes) }, at: [x]).failure == nil)
    #expect(checkGradients(of: { $0[0].mean(axes: axes) }, at: [x]).failure == nil)
    #expect(checkGradients(of: { $0[0].variance(axes: axes) }, at: [x]).failure == nil)
    // Distinct values two apart, so that the largest does not change within the step.
    let ramp = Tensor((0..<shape.count).map { Float(($0 * 7919) % shape.count * 2) }, shape: shape)
    #expect(checkGradients(of: { $0[0].max(axes: axes) }, at: [ramp], step: 1e-4).failure == nil)
  }

  @Test("sums do not depend on the number of threads")
  func threads() {
    let x = randomTensor([50000, 3], seed: 3)
    let before = Runtime.threads
    defer { Runtime.threads = before }
    Runtime.threads = 1
    let one = x.sum(axes: [0]).scalars
    Runtime.threads = 3
    #expect(x.sum(axes: [0]).scalars == one)
  }
}
