import ItoTensors
import ItoTestSupport
import Testing

@Suite("Pad") struct PadTests {
  /// The index of `x` that index `i` of a padded axis shows, nil for the constant.
  private func source(_ i: Int, _ size: Int, _ mode: PaddingMode) -> Int? {
    if i >= 0 && i < size { return i }
    switch mode {
    case .constant: return nil
    case .replicate: return i < 0 ? 0 : size - 1
    case .reflect: return i < 0 ? -i : 2 * (size - 1) - i
    case .circular: return i < 0 ? i + size : i - size
    }
  }

  private func naivePad(
    _ x: Tensor, _ padding: [(before: Int, after: Int)], _ mode: PaddingMode
  ) -> Tensor {
    let elements = Elements(x)
    let shape = Shape(zip(x.shape.dims, padding).map { $0 + $1.before + $1.after })
    return naive(shape, dtype: x.dtype) { index in
      var at: [Int] = []
      for (axis, i) in index.enumerated() {
        guard let j = source(i - padding[axis].before, x.shape[axis], mode) else {
          if case .constant(let value) = mode { return Float(value) }
          return .nan
        }
        at.append(j)
      }
      return elements[at]
    }
  }

  static let paddings: [[(before: Int, after: Int)]] = [
    [(0, 0), (0, 0), (0, 0), (0, 0)], [(0, 0), (1, 1), (1, 1), (0, 0)],
    [(0, 0), (0, 1), (0, 1), (0, 0)], [(1, 0), (2, 3), (0, 2), (1, 2)],
    [(0, 1), (0, 0), (0, 0), (0, 0)], [(0, 0), (0, 0), (0, 0), (3, 0)],
  ]

  @Test("every element type", arguments: DType.allCases)
  func constants(_ dtype: DType) {
    let x = exactTensor([2, 4, 5, 3], dtype: dtype, seed: 1)
    for padding in Self.paddings {
      for value in [0.0, 1] {
        let expected = naivePad(x, padding, .constant(value))
        #expect(mismatch(x.padded(padding, mode: .constant(value)), expected) == nil, "\(padding)")
      }
    }
  }

  @Test("modes", arguments: [PaddingMode.reflect, .replicate, .circular, .constant(-2.5)])
  func modes(_ mode: PaddingMode) {
    let x = randomTensor([2, 4, 5, 3], seed: 2)
    for padding in Self.paddings.dropLast() {
      let fits =
        mode != .reflect || padding[3].after < 3 && padding[0].before + padding[0].after < 2
      if fits {
        let found = x.padded(padding, mode: mode)
        #expect(mismatch(found, naivePad(x, padding, mode)) == nil, "\(mode) \(padding)")
      }
    }
    let image = x.padded(top: 1, bottom: 2, left: 3, right: 1, mode: mode)
    let expected = naivePad(x, [(0, 0), (1, 2), (3, 1), (0, 0)], mode)
    #expect(mismatch(image, expected) == nil)
    #expect(
      checkGradients(
        of: { $0[0].padded(top: 1, bottom: 2, left: 3, right: 1, mode: mode) }, at: [x]
      ).failure == nil)
  }

  @Test func emptyTensors() {
    let x = Tensor(zeros: [0, 2])
    #expect(
      x.padded([(1, 2), (0, 1)], mode: .constant(4)).scalars == [Float](repeating: 4, count: 9))
  }
}
