import ItoTensors
import ItoTestSupport
import Testing

@Suite("Resize") struct ResizeTests {
  static let sizes: [(Int, Int)] = [(6, 10), (3, 5), (1, 1), (7, 4), (13, 9), (2, 15), (9, 15)]

  /// The two neighbours of pixel i of `count` among `size`, and the weight of the second.
  private func neighbours(_ i: Int, _ size: Int, _ count: Int) -> (Int, Int, Float) {
    let centre = (Double(i) + 0.5) * Double(size) / Double(count) - 0.5
    let place = min(max(centre, 0), Double(size - 1))
    let first = Int(place)
    return (first, min(first + 1, size - 1), Float(place - Double(first)))
  }

  private func naiveBilinear(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    let e = Elements(x)
    return naive([x.shape[0], height, width, x.shape[3]], dtype: x.dtype) { at in
      let (y0, y1, wy) = neighbours(at[1], x.shape[1], height)
      let (x0, x1, wx) = neighbours(at[2], x.shape[2], width)
      let (b, c) = (at[0], at[3])
      let top = (1 - wx) * e[b, y0, x0, c] + wx * e[b, y0, x1, c]
      let bottom = (1 - wx) * e[b, y1, x0, c] + wx * e[b, y1, x1, c]
      return (1 - wy) * top + wy * bottom
    }
  }

  @Test("nearest, every element type", arguments: DType.allCases)
  func nearest(_ dtype: DType) {
    for channels in [1, 2, 3, 4, 20] {
      let x = exactTensor([2, 3, 5, channels], dtype: dtype, seed: 1)
      let elements = Elements(x)
      for (height, width) in Self.sizes {
        let expected = naive([2, height, width, channels], dtype: dtype) {
          elements[$0[0], $0[1] * 3 / height, $0[2] * 5 / width, $0[3]]
        }
        let found = x.resizedNearest(height: height, width: width)
        #expect(mismatch(found, expected) == nil, "\(channels) channels to \(height)×\(width)")
      }
    }
  }

  @Test("bilinear", arguments: [DType.float32, .bfloat16, .float16])
  func bilinear(_ dtype: DType) {
    let relative =
      dtype == .float32
      ? Tolerances.reduction : dtype == .bfloat16 ? Tolerances.bfloat16 : Tolerances.float16
    for channels in [1, 3, 20] {
      let x = randomTensor([2, 3, 5, channels], seed: 2, dtype: dtype)
      for (height, width) in Self.sizes {
        let found = x.resizedBilinear(height: height, width: width)
        let expected = naiveBilinear(x, height, width)
        #expect(
          mismatch(found, expected, relative: relative, absolute: relative) == nil,
          "\(channels) channels to \(height)×\(width)")
      }
    }
  }

  /// Values of PyTorch 2.13's `interpolate` for k²/4, k < 12, as a 3×4 image.
  @Test func agreesWithPyTorch() {
    let x = Tensor((0..<12).map { Float($0 * $0) / 4 }, shape: [1, 3, 4, 1])
    let up: [Float] = [
      0.0, 0.0892857239, 0.232142866, 0.625000119, 1.08928597, 1.8035717, 2.25, 1.60000014,
      1.97500014, 2.57500029, 3.42500043, 4.34642935, 5.51785803, 6.25000048, 4.0, 4.8035717,
      6.08928585, 7.625, 9.2321434, 11.0892859, 12.25, 11.2000017, 12.4321442, 14.403574,
      16.6250019, 18.91786, 21.4607162, 23.0500031, 16.0, 17.5178547, 19.9464283, 22.6250019,
      25.375, 28.375, 30.2500019,
    ]
    #expect(mismatch(x.resizedBilinear(height: 5, width: 7), up, relative: 1e-6) == nil)
    let down: [Float] = [1.125, 2.375, 4.45833349, 13.625, 18.875, 24.958334]
    #expect(mismatch(x.resizedBilinear(height: 2, width: 3), down, relative: 1e-6) == nil)
    #expect(x.resizedNearest(height: 2, width: 3).scalars == [0, 0.25, 1, 4, 6.25, 9])
  }

  @Test("large images are shared among threads, at every instruction set")
  func large() {
    let x = randomTensor([1, 40, 30, 33], seed: 3)
    let expected = naiveBilinear(x, 80, 60)
    atEveryInstructionSet { level in
      let found = x.resizedBilinear(height: 80, width: 60)
      #expect(
        mismatch(found, expected, relative: Tolerances.reduction, absolute: 1e-6) == nil,
        "\(level)")
    }
    let doubled = x.resizedNearest(height: 80, width: 60)
    #expect(mismatch(doubled.slice(axis: 1, from: 1, step: 2).slice(axis: 2, step: 2), x) == nil)
  }

  @Test func sendsGradientsBack() {
    let x = randomTensor([2, 3, 5, 2], seed: 4)
    for (height, width) in Self.sizes {
      #expect(
        checkGradients(
          of: { $0[0].resizedNearest(height: height, width: width) }, at: [x]
        ).failure == nil, "nearest \(height)×\(width)")
      #expect(
        checkGradients(
          of: { $0[0].resizedBilinear(height: height, width: width) }, at: [x]
        ).failure == nil, "bilinear \(height)×\(width)")
    }
  }

  @Test("the gradient of a doubled image is the sum over its copies")
  func doubledGradient() {
    let (x, leaf) = Tensor(zeros: [1, 2, 3, 2]).tracked()
    let seed = exactTensor([1, 4, 6, 2], dtype: .float32, seed: 5)
    let g = Elements(seed)
    let expected = naive([1, 2, 3, 2]) { at in
      let (y, x, c) = (2 * at[1], 2 * at[2], at[3])
      return g[0, y, x, c] + g[0, y, x + 1, c] + g[0, y + 1, x, c] + g[0, y + 1, x + 1, c]
    }
    let found = x.resizedNearest(height: 4, width: 6).gradients(seed: seed)[leaf]
    #expect(found.map { mismatch($0, expected) } == .some(nil))
  }
}
