import ItoTensors
import ItoTestSupport
import Testing

@Suite("Convolution by kernels in files' order")
struct PublishedConvolutionTests {
  @Test("the same as by a kernel in our order", arguments: ConvolutionCase.all)
  func equality(_ c: ConvolutionCase) {
    let x = randomTensor([2, c.height, c.width, c.channels], seed: 1)
    let kernel = randomTensor(c.kernelShape, seed: 2), bias = randomTensor([c.outputs], seed: 3)
    let published = kernel.permuted([0, 3, 1, 2])
    let expected = x.convolved(kernel, bias: bias, c.options)
    #expect(
      relativeRMSError(x.convolved(published: published, bias: bias, c.options), expected) < 1e-6)
    let half = x.convolved(published: published.cast(to: .bfloat16), bias: bias, c.options)
    #expect(half.dtype == .bfloat16)
    #expect(relativeRMSError(half.cast(to: .float32), expected) < 2e-2)
    // A type that there is no product in.
    let other = x.convolved(published: published.cast(to: .float16), bias: bias, c.options)
    #expect(relativeRMSError(other.cast(to: .float32), expected) < 2e-3)
  }
}
