import ItoTensors
import ItoTestSupport
import Testing

private func naiveSlice(_ x: Tensor, _ axis: Int, _ indices: [Int]) -> Tensor {
  let elements = Elements(x)
  var shape = x.shape
  shape.dims[axis] = indices.count
  return naive(shape, dtype: x.dtype) { index in
    var source = index
    source[axis] = indices[index[axis]]
    return elements[source]
  }
}

@Suite("Slice") struct SliceTests {
  @Test("every axis, every element type, steps", arguments: DType.allCases)
  func slices(_ dtype: DType) {
    let x = exactTensor([5, 7, 9], dtype: dtype, seed: 1)
    for axis in 0..<3 {
      let size = x.shape[axis]
      for (from, to, step) in [(0, size, 1), (1, 4, 1), (0, size, 2), (2, size, 3), (3, 3, 1)] {
        let expected = naiveSlice(x, axis, Array(stride(from: from, to: to, by: step)))
        let found = x.slice(axis: axis, from: from, to: to, step: step)
        #expect(mismatch(found, expected) == nil, "axis \(axis) \(from)..<\(to) by \(step)")
        let negative = x.slice(
          axis: axis - 3, from: from - size, to: to == size ? nil : to - size, step: step)
        #expect(mismatch(negative, expected) == nil, "axis \(axis - 3)")
      }
      #expect(mismatch(x.sliced(1..<3, axis: axis), naiveSlice(x, axis, [1, 2])) == nil)
      #expect(
        mismatch(
          x.flipped(axis: axis), naiveSlice(x, axis, Array((0..<size).reversed()))) == nil)
      for count in [0, 1, 3, -2, 100] {
        let order = (0..<size).map { ((($0 - count) % size) + size) % size }
        #expect(
          mismatch(x.rolled(by: count, axis: axis - 3), naiveSlice(x, axis, order)) == nil)
      }
      let last = x.indexed(-1, axis: axis)
      #expect(mismatch(last, naiveSlice(x, axis, [size - 1]).squeezed(axis: axis)) == nil)
    }
  }

  @Test("large slices are shared among threads")
  func large() {
    let x = exactTensor([2, 300, 700], dtype: .float32, seed: 2)
    #expect(
      mismatch(x.slice(axis: 1, from: 17, to: 290), naiveSlice(x, 1, Array(17..<290))) == nil)
    #expect(
      mismatch(
        x.slice(axis: 2, from: 1, step: 3), naiveSlice(x, 2, Array(stride(from: 1, to: 700, by: 3)))
      )
        == nil)
    #expect(mismatch(x.slice(axis: 0, from: 1), naiveSlice(x, 0, [1])) == nil)
    #expect(mismatch(x.flipped(axis: 2), naiveSlice(x, 2, (0..<700).reversed())) == nil)
  }

  @Test func splits() {
    let x = exactTensor([4, 6, 5], dtype: .bfloat16, seed: 3)
    let parts = x.split(sizes: [1, 0, 3, 2], axis: -2)
    #expect(parts.map { $0.shape[1] } == [1, 0, 3, 2])
    #expect(mismatch(parts[2], naiveSlice(x, 1, [1, 2, 3])) == nil)
    let halves = x.chunks(2, axis: 0)
    #expect(halves.count == 2)
    #expect(mismatch(halves[1], naiveSlice(x, 0, [2, 3])) == nil)
    #expect(x.chunks(1, axis: 0)[0].storageAddress == x.storageAddress)
  }

  @Test func sendsGradientsBack() {
    let x = randomTensor([4, 6, 3], seed: 4)
    for axis in [0, 1, -1] {
      #expect(
        checkGradients(of: { $0[0].slice(axis: axis, from: 1, step: 2) }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].flipped(axis: axis) }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].rolled(by: 2, axis: axis) }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].indexed(-2, axis: axis) }, at: [x]).failure == nil)
    }
  }

  @Test("parts that overlap, repeat or leave gaps, beside a use of the whole")
  func partsAddUp() {
    let x = randomTensor([2, 6, 3], seed: 5)
    let function: ([Tensor]) -> Tensor = { t in
      let parts = t[0].chunks(3, axis: 1)
      let overlap = t[0].sliced(1..<3, axis: 1)
      let whole = t[0].sliced(4..<6, axis: 1) * t[0].sum(axes: [1], keepingAxes: true)
      return parts[0] * parts[2] + 2 * overlap * parts[0] + whole
    }
    #expect(checkGradients(of: function, at: [x]).failure == nil)
  }

  @Test("parts of half precision add to a float32 gradient", arguments: [DType.bfloat16, .float16])
  func halves(_ dtype: DType) {
    let values = exactTensor([4, 5], dtype: .float32, seed: 6)
    let (x, leaf) = values.tracked()
    let half = x.cast(to: dtype)
    let parts = half.split(sizes: [1, 3], axis: 0)
    let y = parts[1] + half.sliced(0..<3, axis: 0)
    let gradient = y.gradients()[leaf]
    let expected = naive([4, 5]) { [1, 2, 2, 1][$0[0]] }
    #expect(gradient.map { mismatch($0, expected) } == .some(nil))
  }

  @Test("split and joined again in another order")
  func splitAndJoined() {
    let (x, leaf) = Tensor(zeros: [64, 1000]).tracked()
    let parts = x.chunks(8, axis: 1)
    let y = Tensor.concatenated(parts.reversed(), axis: 1)
    let seed = exactTensor([64, 1000], dtype: .float32, seed: 7)
    let gradient = y.gradients(seed: seed)[leaf]
    let expected = Tensor.concatenated(seed.chunks(8, axis: 1).reversed(), axis: 1)
    #expect(gradient.map { mismatch($0, expected) } == .some(nil))
  }
}
