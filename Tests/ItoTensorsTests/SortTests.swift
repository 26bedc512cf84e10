import ItoTensors
import ItoTestSupport
import Testing

/// The order of `values` by repeated search for the first that no other precedes.
private func naiveOrder(_ values: [Float], descending: Bool) -> [Int] {
  var left = Array(values.indices)
  var order: [Int] = []
  while !left.isEmpty {
    var best = 0
    for k in left.indices.dropFirst() {
      let (a, b) = (values[left[k]], values[left[best]])
      let precedes = b.isNaN ? !a.isNaN : descending ? a > b : a < b
      if precedes { best = k }
    }
    order.append(left.remove(at: best))
  }
  return order
}

@Suite("Sort") struct SortTests {
  /// Positions along `axis` in order, line by line.
  private func naiveIndices(_ x: Tensor, _ axis: Int, _ count: Int, descending: Bool) -> Tensor {
    let elements = Elements(x)
    var shape = x.shape
    shape[axis] = count
    return naive(shape, dtype: .int64) { index in
      let line = (0..<x.shape[axis]).map { i -> Float in
        var at = index
        at[axis] = i
        return elements[at]
      }
      return Float(naiveOrder(line, descending: descending)[index[axis]])
    }
  }

  @Test("every axis, direction and element type, with many ties", arguments: DType.allCases)
  func sorts(_ dtype: DType) {
    // Few distinct values, so that ties show whether the sort is stable.
    let range = dtype == .bool ? 0..<2 : dtype == .uint8 ? 0..<6 : -3..<4
    let x = randomIntegers([5, 9, 6], in: range, seed: 1, dtype: .int32).cast(to: dtype)
    for axis in 0..<3 {
      for descending in [false, true] {
        let expected = naiveIndices(x, axis, x.shape[axis], descending: descending)
        for signed in [axis, axis - 3] {
          let (values, indices) = x.sorted(axis: signed, descending: descending)
          #expect(mismatch(indices, expected) == nil, "axis \(signed) descending \(descending)")
          #expect(mismatch(values, x.gathered(expected, axis: axis)) == nil)
        }
      }
      for k in [0, 1, 3, x.shape[axis]] {
        let expected = naiveIndices(x, axis, k, descending: true)
        let (values, indices) = x.topK(k, axis: axis)
        #expect(mismatch(indices, expected) == nil, "top \(k) of axis \(axis)")
        #expect(mismatch(values, x.gathered(expected, axis: axis)) == nil)
      }
      let first = naiveIndices(x, axis, 1, descending: true).squeezed(axis: axis)
      #expect(mismatch(x.argMax(axis: axis - 3), first) == nil)
    }
  }

  @Test("special values: NaN last, infinities at the ends, zeros equal")
  func specials() {
    let values: [Float] = [
      0, .nan, -1, .infinity, -0.0, .leastNonzeroMagnitude, -.infinity, -.nan, 3.4e38,
      -.leastNonzeroMagnitude, 0,
    ]
    for dtype in [DType.float32, .bfloat16] {
      let x = Tensor(values, shape: [values.count]).cast(to: dtype)
      for descending in [false, true] {
        let found = x.sorted(descending: descending).indices.integers
        #expect(found == naiveOrder(x.scalars, descending: descending))
      }
      #expect(x.argMax(axis: 0).item == 3)
    }
    let integers = Tensor([Int64.max, Int64.min, 0, -1, Int64.max - 1], shape: [5])
    #expect(integers.sorted().indices.integers == [1, 3, 2, 4, 0])
    #expect(integers.topK(2).indices.integers == [0, 4])
    let narrow = Tensor([Int32.max, Int32.min, 0, -1], shape: [4])
    #expect(narrow.sorted().indices.integers == [1, 3, 2, 0])
  }

  @Test("long lines, shared among threads")
  func long() {
    let x = randomTensor([33, 2000], seed: 2)
    let (values, indices) = x.sorted()
    let rows = x.scalars
    var ordered = true
    for (row, line) in zip(0..<33, values.chunks(33, axis: 0)) {
      ordered = ordered && line.scalars == rows[row * 2000..<(row + 1) * 2000].sorted()
    }
    #expect(ordered)
    #expect(mismatch(x.gathered(indices, axis: 1), values) == nil)
    #expect(
      mismatch(x.topK(50).values, x.sorted(descending: true).values.sliced(0..<50, axis: 1)) == nil)
  }

  @Test func emptyLines() {
    #expect(Tensor(zeros: [3, 0]).sorted().values.shape == [3, 0])
    #expect(Tensor(zeros: [0, 3]).topK(2).indices.shape == [0, 2])
  }

  @Test func sendsGradientsBack() {
    // Distances between elements well above the checker's step.
    let x = Tensor(
      (0..<24).map { Float(($0 * 7) % 24) / 8 - 1 }, shape: [2, 3, 4])
    for axis in [0, 1, -1] {
      #expect(checkGradients(of: { $0[0].sorted(axis: axis).values }, at: [x]).failure == nil)
      #expect(checkGradients(of: { $0[0].topK(2, axis: axis).values }, at: [x]).failure == nil)
    }
  }
}
