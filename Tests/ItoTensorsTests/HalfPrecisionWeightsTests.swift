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
    let x = randomTensor([2, 15, 14, 128], seed: 6), bias = randomTensor([160], seed: 7)
    let options = ConvolutionOptions(padding: 1)
    let half = randomTensor([160, 3, 3, 128], seed: 8).cast(to: type)
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
  @Suite("Packed kernels of minimal filtering")
  struct PackedKernelsTests {
    private func descriptor(
      _ channels: Int, _ outputs: Int, _ tile: Int, size: Int = 4, _ type: DType
    ) -> ito_winograd_desc {
      ito_winograd_desc(
        batch: 1, height: Int64(size), width: Int64(size), channels: Int64(channels),
        out_height: Int64(size), out_width: Int64(size), out_channels: Int64(outputs), pad_top: 1,
        pad_left: 1, tile: Int64(tile), stride: 1, doubles: 0, allows_large: 0, dtype: 0,
        kernel_dtype: Int64(type.rawValue))
    }

    private func packed(_ d: ito_winograd_desc, _ kernel: Tensor, _ order: Int) -> Tensor {
      var d = d
      let count = ito_winograd_packed_bytes(&d) / kernel.dtype.byteCount
      return Tensor(building: [count], dtype: kernel.dtype) { to in
        reading(kernel) { ito_winograd_pack(&d, $0, Int32(order), to) }
      }
    }

    @Test("by channel, tap and output, from every order and element type")
    func layout() {
      let (channels, outputs) = (19, 21)
      for type in [DType.float32, .bfloat16, .float16] {
        let kernel = randomTensor([outputs, 3, 3, channels], seed: 5).cast(to: type)
        let values = kernel.scalars
        var expected = [Float](repeating: 0, count: 2 * channels * 9 * 16)
        for o in 0..<outputs {
          for c in 0..<channels {
            for t in 0..<9 {
              expected[((o / 16 * channels + c) * 9 + t) * 16 + o % 16] =
                values[(o * 9 + t) * channels + c]
            }
          }
        }
        let published = kernel.permuted([0, 3, 1, 2])
        // Of the convolution whose input gradient this is: turned, and channels for outputs.
        let adjoint = kernel.permuted([3, 1, 2, 0]).flippedTaps()
        let d = descriptor(channels, outputs, 2, type)
        atEveryInstructionSet { _ in
          #expect(packed(d, kernel, ITO_KERNEL_CHANNELS_LAST).scalars == expected)
          #expect(packed(d, published, ITO_KERNEL_PUBLISHED).scalars == expected)
          #expect(packed(d, adjoint, ITO_KERNEL_ADJOINT).scalars == expected)
        }
      }
    }

    @Test("kernels too large to be packed at once give the same bits")
    func parts() {
      var desc = descriptor(2304, 2080, 2, size: 3, .bfloat16)
      #expect(ito_winograd_packed_bytes(&desc) > 64 << 20)
      let kernel = randomTensor([2080, 2304, 3, 3], seed: 1).cast(to: .bfloat16)
      let x = randomTensor([1, 3, 3, 2304], seed: 2).scalars
      let whole = packed(desc, kernel, ITO_KERNEL_PUBLISHED)
      var kept = [Float](repeating: .nan, count: 9 * 2080), parts = kept
      var epilogue = ito_winograd_epilogue(
        bias: nil, residual: nil, activation: Int64(ITO_UNARY_SILU))
      reading(whole) { ito_winograd(&desc, x, $0, &epilogue, &kept) }
      reading(kernel) {
        ito_winograd_packing(&desc, x, $0, Int32(ITO_KERNEL_PUBLISHED), &epilogue, &parts)
      }
      #expect(parts == kept && kept.allSatisfy(\.isFinite))
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
