import Foundation
import ItoCKernels
import ItoTensors
import ItoTestSupport
import Testing

/// Widening is exact: what is computed from weights in half precision is what is computed from the same values in
/// float32, but for the order of sums in products and in convolutions of few pixels.
@Suite("Weights in half precision, computed with in float32")
struct HalfPrecisionWeightsTests {
  private static let halves = [DType.bfloat16, .float16]

  @Test(
    "products", arguments: halves,
    [(1, 7, 5), (33, 129, 70), (154, 768, 320), (512, 389, 33), (513, 70, 17)])
  func linear(_ type: DType, _ size: (m: Int, k: Int, n: Int)) {
    let x = randomTensor([size.m, size.k], seed: 1), b = randomTensor([size.n], seed: 2)
    // Numbers of every magnitude, those below the least normal one of float16 too.
    let scales = randomTensor([size.n, size.k], seed: 4).scalars.map { exp2(-8 * abs($0)) }
    let half = (randomTensor([size.n, size.k], seed: 3) * Tensor(scales, shape: [size.n, size.k]))
      .cast(to: type)
    let (a, w, bias) = (x.scalars, half.scalars, b.scalars)
    atEveryInstructionSet { level in
      for bias in [bias, nil] {
        let y = x.linear(half, bias: bias == nil ? nil : b, computing: .float32)
        #expect(y.dtype == .float32 && y.shape == [size.m, size.n])
        var far = 0
        for (i, found) in y.scalars.enumerated() {
          let (row, column) = (i / size.n, i % size.n)
          var (sum, magnitude) = (Double(bias?[column] ?? 0), Double(abs(bias?[column] ?? 0)))
          for j in 0..<size.k {
            let term = Double(a[row * size.k + j]) * Double(w[column * size.k + j])
            sum += term
            magnitude += abs(term)
          }
          // Of k products and a bias, summed one after the other.
          let isClose = abs(Double(found) - sum) <= Double(size.k + 1) * 0x1p-24 * magnitude
          far += isClose ? 0 : 1
        }
        #expect(far == 0, "\(level)")
      }
    }
    if type == .float16 {
      #expect(
        x.linear(half, bias: b).scalars == x.linear(half, bias: b, computing: .float32).scalars)
    }
  }

  @Test("convolutions in files' order", arguments: halves, ConvolutionCase.all)
  func published(_ type: DType, _ c: ConvolutionCase) {
    let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
    let bias = randomTensor([c.outputs], seed: 3)
    let half = randomTensor(c.kernelShape, seed: 2).permuted([0, 3, 1, 2]).cast(to: type)
    let y = x.convolved(published: half, bias: bias, c.options, computing: .float32)
    let wide = half.cast(to: .float32)
    let expected = x.convolved(published: wide, bias: bias, c.options)
    #expect(y.dtype == .float32 && y.shape == expected.shape)
    // Both are within one rounding a term of the true sum.
    func magnitudes(_ t: Tensor) -> Tensor { Tensor(t.scalars.map(abs), shape: t.shape) }
    let sums = magnitudes(x).convolved(
      published: magnitudes(wide), bias: magnitudes(bias), c.options)
    let terms = Float(wide.shape.count / wide.shape[0] + 1)
    func far(_ found: Tensor) -> Int {
      zip(zip(found.scalars, expected.scalars), sums.scalars).count { pair, sum in
        !(abs(pair.0 - pair.1) <= 2 * terms * 0x1p-24 * sum)
      }
    }
    #expect(far(y) == 0)
    if type == .float16 {
      #expect(far(x.convolved(half.permuted([0, 2, 3, 1]), bias: bias, c.options)) == 0)
    }
  }

  @Test("convolutions by minimal filtering, kernels in either order", arguments: halves)
  func filtered(_ type: DType) {
    let x = randomTensor([2, 15, 14, 64], seed: 6), bias = randomTensor([96], seed: 7)
    let options = ConvolutionOptions(padding: 1)
    let half = randomTensor([96, 3, 3, 64], seed: 8).cast(to: type)
    let wide = half.cast(to: .float32)
    let expected = x.convolved(wide, bias: bias, options).scalars
    let published = half.permuted([0, 3, 1, 2])
    #expect(
      x.convolved(published: published, bias: bias, options, computing: .float32).scalars
        == expected)
    if type == .float16 { #expect(x.convolved(half, bias: bias, options).scalars == expected) }
  }

  @Test("gradients go through a widened copy", arguments: halves)
  func gradients(_ type: DType) {
    let half = randomTensor([11, 9], seed: 1).cast(to: type), seed = randomTensor([4, 11], seed: 2)
    func gradient(_ weight: Tensor) -> [Float]? {
      let (x, leaf) = randomTensor([4, 9], seed: 3).tracked()
      return x.linear(weight, computing: .float32).gradients(seed: seed)[leaf]?.scalars
    }
    let found = gradient(half)
    #expect(found != nil && found == gradient(half.cast(to: .float32)))
  }
}

extension KernelTests {
  @Suite("Transformed kernels")
  struct TransformedKernelsTests {
    /// The rows of G, Lavin & Gray 2016, sections 4.1 and 4.3.
    private static func filter(_ tile: Int) -> [[Double]] {
      if tile == 2 { return [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]] }
      let (fourth, sixth) = (1 / 4.0, 1 / 6.0)
      let (half, whole): ([Double], [Double]) = (
        [1 / 24.0, 1 / 12.0, 1 / 6.0], [1 / 24.0, -1 / 12.0, 1 / 6.0]
      )
      return [
        [fourth, 0, 0], [-sixth, -sixth, -sixth], [-sixth, sixth, -sixth], half, whole, [0, 0, 1],
      ]
    }

    private func descriptor(_ channels: Int, _ outputs: Int, _ tile: Int, size: Int = 4)
      -> ito_winograd_desc
    {
      ito_winograd_desc(
        batch: 1, height: Int64(size), width: Int64(size), channels: Int64(channels),
        out_height: Int64(size), out_width: Int64(size), out_channels: Int64(outputs), pad_top: 1,
        pad_left: 1, tile: Int64(tile), stride: 1, doubles: 0)
    }

    private func transformed(_ d: ito_winograd_desc, _ kernel: Tensor, _ order: Int) -> [Float] {
      var d = d
      var result = [Float](repeating: .nan, count: Int(ito_winograd_weights_count(&d)))
      reading(kernel) { ito_winograd_weights(&d, $0, kernel.dtype.rawValue, Int32(order), &result) }
      return result
    }

    @Test("G g Gᵀ in double, from every order and element type", arguments: [2, 4])
    func formula(_ tile: Int) {
      let (channels, outputs, n) = (19, 21, tile + 2)
      let d = descriptor(channels, outputs, tile), g = Self.filter(tile)
      for type in [DType.float32, .bfloat16, .float16] {
        let kernel = randomTensor([outputs, 3, 3, channels], seed: 5).cast(to: type)
        let values = kernel.scalars
        let size = (outputs + 15) / 16 * 16 * channels * n * n
        var expected = [Float](repeating: 0, count: size)
        for o in 0..<outputs {
          for c in 0..<channels {
            func tap(_ i: Int, _ j: Int) -> Double {
              Double(values[((o * 3 + i) * 3 + j) * channels + c])
            }
            for i in 0..<n {
              let row = (0..<3).map { (j: Int) -> Double in
                g[i][0] * tap(0, j) + g[i][1] * tap(1, j) + g[i][2] * tap(2, j)
              }
              for j in 0..<n {
                let product = o / 16 * n * n + i * n + j
                let value: Double = row[0] * g[j][0] + row[1] * g[j][1] + row[2] * g[j][2]
                expected[(product * channels + c) * 16 + o % 16] = Float(value)
              }
            }
          }
        }
        let published = kernel.permuted([0, 3, 1, 2])
        // Of the convolution whose input gradient this is: turned, and channels for outputs.
        let adjoint = kernel.permuted([3, 1, 2, 0]).flippedTaps()
        atEveryInstructionSet { _ in
          #expect(transformed(d, kernel, ITO_KERNEL_CHANNELS_LAST) == expected)
          #expect(transformed(d, published, ITO_KERNEL_PUBLISHED) == expected)
          #expect(transformed(d, adjoint, ITO_KERNEL_ADJOINT) == expected)
        }
      }
    }

    @Test("kernels too large to be transformed at once give the same bits")
    func parts() {
      let d = descriptor(1152, 1040, 2, size: 3)
      var desc = d
      #expect(ito_winograd_weights_count(&desc) * 4 > 64 << 20)
      let kernel = randomTensor([1040, 1152, 3, 3], seed: 1).cast(to: .bfloat16)
      let x = randomTensor([1, 3, 3, 1152], seed: 2).scalars
      let weights = transformed(d, kernel, ITO_KERNEL_PUBLISHED)
      var whole = [Float](repeating: .nan, count: 9 * 1040), parts = whole
      var epilogue = ito_winograd_epilogue(
        bias: nil, residual: nil, activation: Int64(ITO_UNARY_SILU))
      ito_winograd(&desc, x, weights, &epilogue, &whole)
      reading(kernel) {
        ito_winograd_transforming(
          &desc, x, $0, DType.bfloat16.rawValue, Int32(ITO_KERNEL_PUBLISHED), &epilogue, &parts)
      }
      #expect(parts == whole && whole.allSatisfy(\.isFinite))
    }
  }
}

extension Tensor {
  /// A kernel `[out, 3, 3, in]` turned by half a circle.
  fileprivate func flippedTaps() -> Tensor {
    indexSelected(Tensor([2, 1, 0] as [Int64], shape: [3]), axis: 1)
      .indexSelected(Tensor([2, 1, 0] as [Int64], shape: [3]), axis: 2)
  }
}
