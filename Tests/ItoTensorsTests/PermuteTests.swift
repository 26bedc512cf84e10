import ItoTensors
import ItoTestSupport
import Testing

/// Every order of `count` axes.
private func allOrders(_ count: Int) -> [[Int]] {
  if count == 0 { return [[]] }
  return allOrders(count - 1).flatMap { order in
    (0...order.count).map { place in
      Array(order[..<place]) + [count - 1] + Array(order[place...])
    }
  }
}

private func naivePermute(_ x: Tensor, _ order: [Int]) -> Tensor {
  let elements = Elements(x)
  return naive(Shape(order.map { x.shape[$0] }), dtype: x.dtype) { index in
    var source = index
    for (i, axis) in order.enumerated() { source[axis] = index[i] }
    return elements[source]
  }
}

@Suite("Permute") struct PermuteTests {
  @Test("every order of axes, every element type", arguments: DType.allCases)
  func orders(_ dtype: DType) {
    for shape: Shape in [[7], [3, 5], [2, 3, 5], [4, 1, 3, 2], [2, 3, 1, 2, 5]] {
      let x = exactTensor(shape, dtype: dtype, seed: 1)
      for order in allOrders(shape.rank) {
        #expect(mismatch(x.permuted(order), naivePermute(x, order)) == nil, "\(shape) \(order)")
      }
    }
  }

  @Test("blocked transposes with ragged edges, every instruction set")
  func blocks() {
    let shapes: [Shape] = [
      [2, 33, 70], [1, 131, 257], [3, 16, 16], [2, 64, 3], [2, 3, 64], [129, 5, 2], [1, 300, 4],
    ]
    atEveryInstructionSet { level in
      for dtype in [DType.uint8, .bfloat16, .float32, .int64] {
        for (i, shape) in shapes.enumerated() {
          let x = exactTensor(shape, dtype: dtype, seed: UInt64(i))
          let same = mismatch(x.transposed(), naivePermute(x, [0, 2, 1]))
          #expect(same == nil, "\(level) \(dtype) \(shape)")
        }
      }
    }
  }

  @Test("large copies are shared among threads")
  func large() {
    let x = exactTensor([3, 70, 40, 64], dtype: .float32, seed: 3)
    for order in [[0, 2, 1, 3], [3, 1, 0, 2], [0, 3, 1, 2], [2, 1, 3, 0]] {
      #expect(mismatch(x.permuted(order), naivePermute(x, order)) == nil, "\(order)")
    }
  }

  @Test func negativeAxesAndFreeCases() {
    let x = exactTensor([2, 3, 4], dtype: .float32, seed: 4)
    #expect(mismatch(x.permuted(-1, 0, -2), naivePermute(x, [2, 0, 1])) == nil)
    #expect(mismatch(x.transposed(0, -1), naivePermute(x, [2, 1, 0])) == nil)
    #expect(x.permuted(0, 1, 2).storageAddress == x.storageAddress)
    let y = x.reshaped(to: [2, 1, 12]).permuted(1, 0, 2)
    #expect(y.shape == [1, 2, 12])
    #expect(y.storageAddress == x.storageAddress)
    #expect(Tensor(zeros: [0, 3]).transposed().shape == [3, 0])
  }

  @Test func broadcastsLikeALoop() {
    for dtype in DType.allCases {
      for (from, to): (Shape, Shape) in [
        ([], [2, 3]), ([1], [5]), ([3], [2, 3]), ([2, 1], [2, 67]), ([2, 1, 5], [4, 2, 3, 5]),
        ([7, 1, 1], [7, 3, 2]), ([1, 4], [0, 4]), ([2, 3], [2, 3]),
      ] {
        let x = exactTensor(from, dtype: dtype, seed: 5)
        let elements = Elements(x)
        let expected = naive(to, dtype: dtype) { index in
          elements[zip(index.suffix(from.rank), from.dims).map { $1 == 1 ? 0 : $0 }]
        }
        #expect(mismatch(x.broadcast(to: to), expected) == nil, "\(from) to \(to)")
      }
    }
  }

  @Test func sendsGradientsBack() {
    let x = randomTensor([2, 3, 1, 5], seed: 6)
    #expect(checkGradients(of: { $0[0].permuted(3, 0, 2, 1) }, at: [x]).failure == nil)
    #expect(checkGradients(of: { $0[0].transposed() }, at: [x]).failure == nil)
    #expect(checkGradients(of: { $0[0].broadcast(to: [2, 2, 3, 4, 5]) }, at: [x]).failure == nil)
  }
}
