import ItoTensors
import ItoTestSupport
import Testing

extension KernelTests {
  @Suite("What follows a product or a convolution")
  struct EpilogueTests {
    private static let activations = [nil] + Activation.allCases.map(Optional.some)

    @Test("linear layers, like a loop", arguments: [(1, 1, 1), (7, 5, 3), (65, 33, 47)])
    func linear(_ m: Int, _ n: Int, _ k: Int) {
      let x = randomTensor([m, k], seed: 1), w = randomTensor([n, k], seed: 2) * 0.3
      let b = randomTensor([n], seed: 3), r = randomTensor([m, n], seed: 4)
      let (vx, vw, vb, vr) = (x.scalars, w.scalars, b.scalars, r.scalars)
      let sums = (0..<m * n).map { at -> Float in
        let products = (0..<k).map { Double(vx[at / n * k + $0]) * Double(vw[at % n * k + $0]) }
        return Float(products.reduce(Double(vb[at % n]) + Double(vr[at])) { $0 + $1 })
      }
      for activation in Self.activations {
        let sum = Tensor(sums, shape: [m, n])
        let expected = activation.map { sum.activated(by: $0) } ?? sum
        let y = x.linear(w, bias: b, then: Epilogue(adding: r, activation: activation))
        #expect(
          mismatch(y, expected, relative: 1e-5, absolute: 2e-5) == nil, "\(activation as Any)")
      }
      #expect(r.scalars == vr)
      let bare = x.linear(w, then: Epilogue(activation: .gelu))
      #expect(mismatch(bare, x.linear(w).gelu(), relative: 1e-5, absolute: 1e-5) == nil)
    }

    @Test(
      "convolutions, minimal filtering or not, like operations of their own",
      arguments: ConvolutionCase.all + [
        ConvolutionCase(height: 15, width: 14, channels: 64, outputs: 96)
      ])
    func convolution(_ c: ConvolutionCase) {
      let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
      let w = randomTensor(c.kernelShape, seed: 2) * 0.2, b = randomTensor([c.outputs], seed: 3)
      let sum = x.convolved(w, bias: b, c.options), r = randomTensor(sum.shape, seed: 4)
      let published = w.permuted([0, 3, 1, 2])
      for activation in Self.activations {
        let epilogue = Epilogue(adding: r, activation: activation)
        let expected = epilogue.applied(to: sum)
        let found = [
          x.convolved(w, bias: b, c.options, then: epilogue),
          x.convolved(published: published, bias: b, c.options, then: epilogue),
          x.convolved(published: published.cast(to: .float16), bias: b, c.options, then: epilogue),
        ]
        for (y, bound) in zip(found, [1e-5, 1e-5, 2e-3] as [Float]) {
          #expect(
            mismatch(y, expected, relative: bound, absolute: 4 * bound) == nil,
            "\(activation as Any)")
        }
      }
    }

    @Test("doubled pixels", arguments: [(5, 7, 3, 4), (6, 5, 64, 64), (1, 1, 64, 80)])
    func doubled(_ height: Int, _ width: Int, _ channels: Int, _ outputs: Int) {
      let x = randomTensor([2, height, width, channels], seed: 1)
      let w = randomTensor([outputs, 3, 3, channels], seed: 2) * 0.2
      let b = randomTensor([outputs], seed: 3)
      var options = ConvolutionOptions(padding: 1)
      let expected = x.resizedNearest(height: 2 * height, width: 2 * width)
        .convolved(w, bias: b, options)
      options.doubles = true
      let y = x.convolved(w, bias: b, options)
      #expect(y.shape == [2, 2 * height, 2 * width, outputs])
      #expect(relativeRMSError(y, expected) < 3e-6)
      let r = randomTensor(y.shape, seed: 4)
      let epilogue = Epilogue(adding: r, activation: .silu)
      #expect(
        relativeRMSError(
          x.convolved(published: w.permuted([0, 3, 1, 2]), bias: b, options, then: epilogue),
          epilogue.applied(to: expected)) < 3e-6)
      // Other paddings and strides make the large input.
      guard height > 1 else { return }
      var odd = ConvolutionOptions(stride: 2)
      odd.doubles = true
      #expect(
        relativeRMSError(
          x.convolved(w, bias: b, odd),
          x.resizedNearest(height: 2 * height, width: 2 * width).convolved(
            w, bias: b, ConvolutionOptions(stride: 2))) < 1e-6)
    }

    @Test("gradients")
    func gradients() {
      let x = randomTensor([2, 5, 4, 6], seed: 1), w = randomTensor([8, 3, 3, 6], seed: 2) * 0.3
      let b = randomTensor([8], seed: 3), r = randomTensor([2, 10, 8, 8], seed: 4)
      var options = ConvolutionOptions(padding: 1)
      options.doubles = true
      let convolution = checkGradients(
        of: {
          $0[0].convolved(
            $0[1], bias: $0[2], options, then: Epilogue(adding: $0[3], activation: .silu))
        }, at: [x, w, b, r])
      #expect(convolution.failure == nil)
      let rows = randomTensor([7, 5], seed: 5), matrix = randomTensor([3, 5], seed: 6)
      let linear = checkGradients(
        of: { $0[0].linear($0[1], then: Epilogue(adding: $0[2], activation: .geluTanh)) },
        at: [rows, matrix, randomTensor([7, 3], seed: 7)])
      #expect(linear.failure == nil)
      // Only the residual is tracked.
      let (tracked, leaf) = r.tracked()
      let y = x.convolved(w, bias: b, options, then: Epilogue(adding: tracked))
      #expect(y.gradients(seed: r)[leaf]?.scalars == r.scalars)
    }

    @Test("bfloat16, and residuals of another type")
    func types() {
      let x = randomTensor([9, 32], seed: 1), w = randomTensor([24, 32], seed: 2) * 0.2
      let r = randomTensor([9, 24], seed: 3), half = w.cast(to: .bfloat16)
      let expected = (r + x.linear(w)).silu()
      let y = x.linear(half, then: Epilogue(adding: r.cast(to: .bfloat16), activation: .silu))
      #expect(y.dtype == .bfloat16)
      #expect(relativeRMSError(y.cast(to: .float32), expected) < 8e-3)
      let wide = x.linear(half, then: Epilogue(adding: r, activation: .silu))
      #expect(wide.scalars == (r + x.linear(half)).silu().scalars && wide.dtype == .float32)
    }
  }
}
