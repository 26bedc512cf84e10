import ItoCKernels
import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("Winograd convolution")
  struct WinogradTests {
    struct Case: Sendable, CustomTestStringConvertible {
      var batch = 1, height = 8, width = 8, channels = 16, outputs = 16, top = 1, left = 1
      /// Output rows and columns less those of the input.
      var growth = 0
      var stride = 1
      /// Every pixel of the input counts as two by two.
      var doubles = false
      var testDescription: String {
        "\(batch)x\(height)x\(width)\(doubles ? " doubled" : ""), \(channels) to \(outputs), "
          + "by \(stride) from -\(top), -\(left), \(growth)"
      }
      var outHeight: Int { ((doubles ? 2 : 1) * height + growth - 1) / stride + 1 }
      var outWidth: Int { ((doubles ? 2 : 1) * width + growth - 1) / stride + 1 }
      func descriptor(tile: Int, _ type: DType = .float32, allowsLarge: Bool = false)
        -> ito_winograd_desc
      {
        ito_winograd_desc(
          batch: Int64(batch), height: Int64(height), width: Int64(width),
          channels: Int64(channels), out_height: Int64(outHeight),
          out_width: Int64(outWidth), out_channels: Int64(outputs), pad_top: Int64(top),
          pad_left: Int64(left), tile: Int64(tile), stride: Int64(stride),
          doubles: doubles ? 1 : 0, allows_large: allowsLarge ? 1 : 0, dtype: Int64(type.rawValue),
          kernel_dtype: Int64(type.rawValue))
      }
      var kernelShape: Shape { [outputs, 3, 3, channels] }
    }
    static let cases = [
      Case(), Case(batch: 2, height: 7, width: 5, channels: 3, outputs: 5),
      Case(height: 1, width: 1, channels: 1, outputs: 1), Case(height: 2, width: 13, channels: 37),
      Case(batch: 3, height: 9, width: 11, channels: 20, outputs: 33),
      Case(height: 8, width: 9, channels: 8, top: 0, left: 0, growth: -2),
      Case(height: 6, width: 6, channels: 8, top: 2, left: 2, growth: 2),
      Case(batch: 7, height: 12, width: 10, channels: 17, outputs: 48),
    ]
    static let doubled = [
      Case(doubles: true),
      Case(batch: 2, height: 7, width: 5, channels: 3, outputs: 5, doubles: true),
      Case(height: 1, width: 1, channels: 1, outputs: 1, doubles: true),
      Case(batch: 3, height: 6, width: 9, channels: 37, outputs: 70, doubles: true),
    ]

    static let strided = [
      Case(stride: 2), Case(height: 1, width: 1, channels: 1, outputs: 1, stride: 2),
      Case(batch: 2, height: 7, width: 5, channels: 3, outputs: 5, stride: 2),
      // Padded below and to the right alone, as autoencoders are.
      Case(height: 8, width: 14, channels: 20, top: 0, left: 0, growth: -1, stride: 2),
      Case(batch: 3, height: 13, width: 9, channels: 37, outputs: 70, growth: -1, stride: 2),
      Case(height: 6, width: 7, channels: 8, top: 2, left: 2, growth: 2, stride: 2),
    ]

    /// In the type of `x`, which `w` and `residual` have too.
    private func winograd(
      _ c: Case, tile: Int, _ x: Tensor, _ w: Tensor, _ bias: Tensor?, residual: Tensor? = nil,
      activation: Activation? = nil, allowsLarge: Bool = false
    ) -> Tensor {
      var d = c.descriptor(tile: tile, x.dtype, allowsLarge: allowsLarge)
      let packed = UnsafeMutableRawPointer.allocate(
        byteCount: ito_winograd_packed_bytes(&d), alignment: 64)
      defer { packed.deallocate() }
      let shape: Shape = [c.batch, c.outHeight, c.outWidth, c.outputs]
      return Tensor(building: shape, dtype: x.dtype) { out in
        reading(x, w) { px, pw in
          ito_winograd_pack(&d, pw, Int32(ITO_KERNEL_CHANNELS_LAST), packed)
          readingOptional(bias) { pb in
            readingOptional(residual) { pr in
              var epilogue = ito_winograd_epilogue(
                bias: pb?.assumingMemoryBound(to: Float.self), residual: pr,
                activation: Int64(activation?.code ?? Int32(ITO_UNARY_NONE)))
              ito_winograd(&d, px, packed, &epilogue, out)
            }
          }
        }
      }
    }

    private func naive(_ c: Case, _ x: Tensor, _ w: Tensor, _ bias: Tensor?) -> [Float] {
      let vx = x.scalars, vw = w.scalars, vb = bias?.scalars
      var out: [Float] = []
      for b in 0..<c.batch {
        for i in 0..<c.outHeight {
          for j in 0..<c.outWidth {
            for o in 0..<c.outputs {
              var sum = Double(vb?[o] ?? 0)
              for ki in 0..<3 {
                for kj in 0..<3 {
                  let scale = c.doubles ? 2 : 1
                  var y = c.stride * i - c.top + ki, z = c.stride * j - c.left + kj
                  guard y >= 0, y < scale * c.height, z >= 0, z < scale * c.width else { continue }
                  (y, z) = (y / scale, z / scale)
                  let pixel = ((b * c.height + y) * c.width + z) * c.channels
                  let tap = ((o * 3 + ki) * 3 + kj) * c.channels
                  for k in 0..<c.channels { sum += Double(vx[pixel + k]) * Double(vw[tap + k]) }
                }
              }
              out.append(Float(sum))
            }
          }
        }
      }
      return out
    }

    @Test("like a loop on every instruction set", arguments: cases, [2, 4])
    func forward(_ c: Case, tile: Int) {
      let x = randomTensor([c.batch, c.height, c.width, c.channels], seed: 1)
      let w = randomTensor(c.kernelShape, seed: 2), b = randomTensor([c.outputs], seed: 3)
      let exact = naive(c, x, w, b), bare = naive(c, x, w, nil)
      // Sums of 9 · channels unit-normal terms; the last output of a tile of 4 weighs products by 64.
      let absolute = (tile == 4 ? 3e-5 : 2e-6) * Float(9 * c.channels).squareRoot()
      let threads = Runtime.threads
      defer { Runtime.threads = threads }
      atEveryInstructionSet { _ in
        Runtime.threads = 1
        let alone = winograd(c, tile: tile, x, w, b)
        #expect(mismatch(alone, exact, relative: 1e-5, absolute: absolute) == nil)
        let error = relativeRMSError(alone, Tensor(exact, shape: alone.shape))
        #expect(error < (tile == 4 ? 3e-6 : 1e-6) || exact.count < 100)
        Runtime.threads = 3
        #expect(winograd(c, tile: tile, x, w, b).scalars == alone.scalars)
        let plain = winograd(c, tile: tile, x, w, nil)
        #expect(mismatch(plain, bare, relative: 1e-5, absolute: absolute) == nil)
      }
    }

    @Test("doubled pixels, like a loop on every instruction set", arguments: doubled)
    func doubling(_ c: Case) { forward(c, tile: 2) }

    @Test("strides of two, like a loop on every instruction set", arguments: strided)
    func striding(_ c: Case) { forward(c, tile: 2) }

    @Test("a residual and an activation have the bits of operations of their own")
    func epilogues() {
      for c in [Self.cases[1], Self.cases[4], Self.doubled[3], Self.strided[4]] {
        let x = randomTensor([c.batch, c.height, c.width, c.channels], seed: 1)
        let w = randomTensor(c.kernelShape, seed: 2) * 0.2, b = randomTensor([c.outputs], seed: 3)
        let r = randomTensor([c.batch, c.outHeight, c.outWidth, c.outputs], seed: 4)
        atEveryInstructionSet { level in
          for tile in c.doubles || c.stride == 2 ? [2] : [2, 4] {
            let sum = winograd(c, tile: tile, x, w, b), bare = winograd(c, tile: tile, x, w, nil)
            for activation in [nil] + Activation.allCases.map(Optional.some) {
              func after(_ y: Tensor) -> [Float] {
                (activation.map { y.activated(by: $0) } ?? y).scalars
              }
              let both = winograd(c, tile: tile, x, w, b, residual: r, activation: activation)
              #expect(both.scalars == after(sum + r), "\(level)")
              let one = winograd(c, tile: tile, x, w, nil, activation: activation)
              #expect(one.scalars == after(bare), "\(level)")
            }
          }
        }
      }
    }

    @Test(
      "bfloat16: one rounding from the sum of its numbers, the stated error in pairs",
      arguments: cases + doubled + strided + long)
    func half(_ c: Case) {
      let x = randomTensor([c.batch, c.height, c.width, c.channels], seed: 1).cast(to: .bfloat16)
      let w = (randomTensor(c.kernelShape, seed: 2) * 0.2).cast(to: .bfloat16)
      let b = randomTensor([c.outputs], seed: 3)
      let shape: Shape = [c.batch, c.outHeight, c.outWidth, c.outputs]
      let r = randomTensor(shape, seed: 4).cast(to: .bfloat16)
      let (wide, kernel) = (x.cast(to: .float32), w.cast(to: .float32))
      atEveryInstructionSet { level in
        for tile in c.doubles || c.stride == 2 ? [2] : [2, 4] {
          let exact = winograd(
            c, tile: tile, wide, kernel, b, residual: r.cast(to: .float32), activation: .silu)
          let found = winograd(c, tile: tile, x, w, b, residual: r, activation: .silu)
          let large = winograd(
            c, tile: tile, x, w, b, residual: r, activation: .silu, allowsLarge: true)
          if Runtime.usesBF16Pairs && tile == 2 {
            let error = relativeRMSError(found.cast(to: .float32), exact)
            #expect(error < (exact.shape.count < 100 ? 2e-2 : 6e-3))
            #expect(large.scalars == found.scalars)
            continue
          }
          #expect(found.scalars == exact.cast(to: .bfloat16).scalars, "\(level)")
          if Runtime.usesBF16Pairs {
            let error = relativeRMSError(large.cast(to: .float32), exact)
            let isSmall = exact.shape.count < 100
            #expect(error < (isSmall ? 5e-2 : 1.5e-2))
            #expect(isSmall || large.scalars != found.scalars, "not in pairs")
          } else {
            #expect(large.scalars == found.scalars)
          }
        }
      }
    }

    /// Channels in several runs, the last of them not full, and panels in several groups.
    static let long = [
      Case(height: 12, width: 12, channels: 1280), Case(height: 9, width: 12, channels: 410),
      Case(batch: 2, height: 5, width: 6, channels: 773, outputs: 150),
      Case(height: 12, width: 11, channels: 410, outputs: 88, stride: 2),
    ]

    @Test("the stated error bounds, beside a plain sum's", arguments: long, [(2, 2e-6), (4, 5e-6)])
    func errors(_ c: Case, _ stated: (tile: Int, bound: Double)) {
      if c.stride == 2 && stated.tile == 4 { return }
      let x = randomTensor([c.batch, c.height, c.width, c.channels], seed: 4)
      let w = randomTensor(c.kernelShape, seed: 5) * (1 / 107)
      let exact = Tensor(naive(c, x, w, nil), shape: [c.batch, c.outHeight, c.outWidth, c.outputs])
      let threads = Runtime.threads
      defer { Runtime.threads = threads }
      atEveryInstructionSet { _ in
        Runtime.threads = 1
        let alone = winograd(c, tile: stated.tile, x, w, nil)
        #expect(relativeRMSError(alone, exact) < stated.bound)
        Runtime.threads = 3
        #expect(winograd(c, tile: stated.tile, x, w, nil).scalars == alone.scalars)
      }
    }
  }
}
