import ItoTensors
import ItoTestSupport
import Testing

@Suite("Concatenate") struct ConcatenateTests {
  @Test("every axis, every element type", arguments: DType.allCases)
  func axes(_ dtype: DType) {
    for axis in 0..<3 {
      let sizes = [3, 1, 0, 4]
      let parts = sizes.enumerated().map { i, size in
        var shape: Shape = [2, 5, 3]
        shape[axis] = size
        return exactTensor(shape, dtype: dtype, seed: UInt64(i))
      }
      let elements = parts.map(Elements.init)
      var shape: Shape = [2, 5, 3]
      shape[axis] = 8
      let expected = naive(shape, dtype: dtype) { index in
        var source = index
        var part = 0
        while source[axis] >= sizes[part] {
          source[axis] -= sizes[part]
          part += 1
        }
        return elements[part][source]
      }
      #expect(mismatch(.concatenated(parts, axis: axis), expected) == nil, "axis \(axis)")
      #expect(mismatch(.concatenated(parts, axis: axis - 3), expected) == nil, "axis \(axis - 3)")
    }
  }

  @Test func stacks() {
    let a = exactTensor([2, 3], dtype: .int8, seed: 1)
    let b = exactTensor([2, 3], dtype: .int8, seed: 2)
    let (ea, eb) = (Elements(a), Elements(b))
    for (axis, shape): (Int, Shape) in [
      (0, [2, 2, 3]), (1, [2, 2, 3]), (2, [2, 3, 2]), (-1, [2, 3, 2]),
    ] {
      let place = axis < 0 ? axis + 3 : axis
      let expected = naive(shape, dtype: .int8) { index in
        var source = index
        return source.remove(at: place) == 0 ? ea[source] : eb[source]
      }
      #expect(mismatch(.stacked([a, b], axis: axis), expected) == nil, "axis \(axis)")
    }
  }

  @Test func promotesAndKeepsASingleTensor() {
    let half = exactTensor([2, 3], dtype: .bfloat16, seed: 3)
    let full = exactTensor([1, 3], dtype: .float32, seed: 4)
    let both = Tensor.concatenated([half, full], axis: 0)
    #expect(both.dtype == .float32)
    #expect(both.scalars == half.scalars + full.scalars)
    #expect(Tensor.concatenated([half], axis: 1).storageAddress == half.storageAddress)
  }

  @Test func sendsGradientsBack() {
    let tensors = [
      randomTensor([2, 3, 2], seed: 5), randomTensor([2, 1, 2], seed: 6),
      randomTensor([2, 4, 2], seed: 7),
    ]
    #expect(checkGradients(of: { .concatenated($0, axis: 1) }, at: tensors).failure == nil)
    let pair = [tensors[0], randomTensor([2, 3, 2], seed: 8)]
    #expect(checkGradients(of: { .stacked($0, axis: -1) }, at: pair).failure == nil)
    // An input that needs none beside one that does, and one tensor used twice.
    #expect(
      checkGradients(
        of: { .concatenated([tensors[1], $0[0], $0[0]], axis: 1) }, at: [tensors[0]]
      ).failure == nil)
  }
}
