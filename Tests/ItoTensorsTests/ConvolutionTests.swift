import ItoTensors
import ItoTestSupport
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var height = 6, width = 7, channels = 4, outputs = 6, kernel = (3, 3)
  var options = ConvolutionOptions(padding: 1)
  var testDescription: String {
    "\(height)x\(width)x\(channels) to \(outputs), kernel \(kernel), stride \(options.stride), "
      + "padding \(options.padding), dilation \(options.dilation), groups \(options.groups)"
  }
  var kernelShape: Shape { [outputs, kernel.0, kernel.1, channels / options.groups] }

  static let all: [ConvolutionCase] = {
    var uneven = ConvolutionOptions()
    uneven.padding = (0, 1, 2, 0)
    uneven.stride = (2, 1)
    var dilated = ConvolutionOptions(padding: 2)
    dilated.dilation = (2, 1)
    return [
      ConvolutionCase(),
      ConvolutionCase(channels: 1, outputs: 5),
      ConvolutionCase(channels: 3, outputs: 1, kernel: (1, 1), options: ConvolutionOptions()),
      ConvolutionCase(height: 9, width: 5, options: ConvolutionOptions(stride: 2, padding: 1)),
      ConvolutionCase(options: uneven),
      ConvolutionCase(height: 8, width: 8, options: dilated),
      ConvolutionCase(options: ConvolutionOptions(padding: 1, groups: 2)),
      ConvolutionCase(channels: 6, outputs: 6, options: ConvolutionOptions(padding: 1, groups: 6)),
      ConvolutionCase(
        channels: 17, outputs: 33, kernel: (5, 2), options: ConvolutionOptions(padding: 2)),
    ]
  }()
}

@Suite("Convolution")
struct ConvolutionTests {
  /// Convolution one product at a time, in double precision.
  private func naive(_ x: Tensor, _ w: Tensor, _ o: ConvolutionOptions) -> (Shape, [Float]) {
    let (xs, ws) = (x.shape, w.shape)
    let size = o.outputSize(height: xs[1], width: xs[2], kernelHeight: ws[1], kernelWidth: ws[2])
    let (vx, vw) = (x.scalars, w.scalars)
    let perGroup = ws[0] / o.groups
    var out: [Float] = []
    for b in 0..<xs[0] {
      for i in 0..<size.height {
        for j in 0..<size.width {
          for f in 0..<ws[0] {
            var sum = 0.0
            for ki in 0..<ws[1] {
              for kj in 0..<ws[2] {
                let y = i * o.stride.height - o.padding.top + ki * o.dilation.height
                let z = j * o.stride.width - o.padding.left + kj * o.dilation.width
                guard y >= 0, y < xs[1], z >= 0, z < xs[2] else { continue }
                for c in 0..<ws[3] {
                  let channel = f / perGroup * ws[3] + c
                  let a = vx[((b * xs[1] + y) * xs[2] + z) * xs[3] + channel]
                  sum += Double(a) * Double(vw[((f * ws[1] + ki) * ws[2] + kj) * ws[3] + c])
                }
              }
            }
            out.append(Float(sum))
          }
        }
      }
    }
    return ([xs[0], size.height, size.width, ws[0]], out)
  }

  @Test("like a loop", arguments: ConvolutionCase.all)
  func values(_ c: ConvolutionCase) {
    let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
    let w = randomTensor(c.kernelShape, seed: 2), b = randomTensor([c.outputs], seed: 3)
    let (shape, expected) = naive(x, w, c.options)
    let biased = expected.indices.map { expected[$0] + b.scalars[$0 % c.outputs] }
    for _ in 0..<2 {
      let y = x.convolved(w, bias: b, c.options)
      #expect(y.shape == shape)
      #expect(mismatch(y, biased, relative: 1e-5, absolute: 1e-4) == nil)
    }
    let half = x.convolved(w.cast(to: .bfloat16), c.options)
    let reference = Tensor(expected, shape: shape)
    #expect(half.dtype == .bfloat16)
    // Operands and result rounded to 8 bits: about 2^-8 relative RMS.
    #expect(relativeRMSError(half.cast(to: .float32), reference) < 6e-3)
  }

  @Test("gradients", arguments: ConvolutionCase.all)
  func gradients(_ c: ConvolutionCase) {
    let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
    let w = randomTensor(c.kernelShape, seed: 2), b = randomTensor([c.outputs], seed: 3)
    let report = checkGradients(
      of: { $0[0].convolved($0[1], bias: $0[2], c.options) }, at: [x, w, b])
    #expect(report.failure == nil)
  }

  @Test("the transposed convolution is the adjoint", arguments: ConvolutionCase.all)
  func adjoint(_ c: ConvolutionCase) {
    let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
    let w = randomTensor(c.kernelShape, seed: 2)
    let y = x.convolved(w, c.options)
    let g = randomTensor(y.shape, seed: 4)
    let small = g.transposeConvolved(w, c.options)
    let padding = (height: c.height - small.shape[1], width: c.width - small.shape[2])
    let back = g.transposeConvolved(w, c.options, outputPadding: padding)
    #expect(back.shape == x.shape)
    // <conv(x), g> = <x, convT(g)>
    let left = (y * g).sum().item, right = (x * back).sum().item
    #expect(
      abs(left - right) <= 1e-4 * (y * y).sum().item.squareRoot() * (g * g).sum().item.squareRoot())
    let bias = randomTensor([c.channels], seed: 5)
    let report = checkGradients(
      of: { $0[0].transposeConvolved($0[1], bias: $0[2], c.options, outputPadding: padding) },
      at: [g, w, bias])
    #expect(report.failure == nil)
  }

  @Test("gradients in bfloat16 agree with float32")
  func halfGradients() {
    let x = randomTensor([3, 9, 9, 16], seed: 1), w = randomTensor([32, 3, 3, 16], seed: 2)
    let g = randomTensor([3, 9, 9, 32], seed: 3)
    func run(_ dtype: DType) -> (Tensor, Tensor) {
      let (tx, lx) = x.cast(to: dtype).tracked(), (tw, lw) = w.cast(to: dtype).tracked()
      let found = tx.convolved(tw, ConvolutionOptions(padding: 1)).gradients(
        seed: g.cast(to: dtype))
      return (found[lx] ?? x, found[lw] ?? w)
    }
    let full = run(.float32), half = run(.bfloat16)
    #expect(half.1.dtype == .float32)
    #expect(relativeRMSError(half.0.cast(to: .float32), full.0) < 6e-3)
    #expect(relativeRMSError(half.1, full.1) < 6e-3)
  }
}
