import ItoTensors
import ItoTestSupport
import Testing

@Suite("Space to depth") struct SpaceToDepthTests {
  @Test("both orders, every element type", arguments: DType.allCases)
  func orders(_ dtype: DType) {
    for (size, shape): (Int, Shape) in [
      (2, [2, 4, 6, 3]), (3, [1, 6, 3, 5]), (4, [1, 8, 4, 1]), (1, [2, 3, 3, 2]),
    ] {
      let x = exactTensor(shape, dtype: dtype, seed: 1)
      let elements = Elements(x)
      let channels = shape[3]
      for order in [BlockOrder.channelMajor, .blockMajor] {
        let target: Shape = [shape[0], shape[1] / size, shape[2] / size, channels * size * size]
        let expected = naive(target, dtype: dtype) { index in
          let (c, i, j) =
            order == .channelMajor
            ? (index[3] / (size * size), index[3] / size % size, index[3] % size)
            : (index[3] % channels, index[3] / channels / size, index[3] / channels % size)
          return elements[index[0], index[1] * size + i, index[2] * size + j, c]
        }
        let found = x.spaceToDepth(size: size, order: order)
        #expect(mismatch(found, expected) == nil, "\(size) \(shape) \(order)")
        #expect(mismatch(found.depthToSpace(size: size, order: order), x) == nil)
      }
    }
  }

  @Test func sendsGradientsBack() {
    let x = randomTensor([1, 4, 6, 8], seed: 2)
    for order in [BlockOrder.channelMajor, .blockMajor] {
      #expect(
        checkGradients(of: { $0[0].spaceToDepth(size: 2, order: order) }, at: [x]).failure == nil)
      #expect(
        checkGradients(of: { $0[0].depthToSpace(size: 2, order: order) }, at: [x]).failure == nil)
    }
  }
}
