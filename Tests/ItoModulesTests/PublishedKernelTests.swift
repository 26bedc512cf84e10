import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModules

private struct Layer: Module {
  var kernel: any ConvolutionWeight
  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&kernel)
  }
}

@Suite("Kernels in files' order")
struct PublishedKernelTests {
  private let kernel = randomTensor([5, 3, 2, 4], seed: 1)
  private var published: Layer { Layer(kernel: PublishedKernel(kernel.permuted([0, 3, 1, 2]))) }

  @Test func isSeenInOurOrder() {
    #expect(published.kernel.shape == kernel.shape)
    #expect(published.kernel.dense().scalars == kernel.scalars)
    #expect(published.parameters.map(\.path.description) == ["weight"])
    #expect(published.parameters[0].tensor.shape == kernel.shape)
    #expect(published.parameters[0].tensor.scalars == kernel.scalars)
  }

  @Test func takesWhatAVisitorWrites() {
    let doubled = published.mappingParameters { _, tensor in 2 * tensor }
    #expect(doubled.kernel.dense().scalars == kernel.scalars.map { 2 * $0 })
    #expect(published.converted(to: .bfloat16).parameters[0].tensor.dtype == .bfloat16)
    struct InPlace: ModuleVisitor {
      typealias Failure = Never
      var path = ModulePath()
      func visitParameter(_ tensor: inout Tensor) { tensor.update { $0[0] = 7 } }
    }
    var copy = published
    var visitor = InPlace()
    copy.visit(&visitor)
    #expect(copy.kernel.dense().scalars[0] == 7)
    #expect(published.kernel.dense().scalars[0] == kernel.scalars[0])
  }

  /// A transform that finds nothing to replace must not cost a copy, nor change anything.
  @Test func isUntouchedByTransforms() {
    struct Nothing: WeightTransform {
      func replacement(for weight: any WeightMatrix, at path: ModulePath) -> (any WeightMatrix)? {
        nil
      }
    }
    let same = published.applying(Nothing())
    #expect(same.kernel is PublishedKernel)
    #expect(same.kernel.dense().scalars == kernel.scalars)
  }

  @Test func gradientsReachIt() {
    let x = randomTensor([1, 6, 5, 4], seed: 2), options = ConvolutionOptions(padding: 1)
    func gradient(_ layer: Layer) -> Tensor? {
      valueWithGradient(at: layer) { layer in
        layer.kernel.apply(to: x, bias: nil, options).squared().sum()
      }.gradients[ModulePath("weight")]
    }
    let own = gradient(Layer(kernel: DenseKernel(kernel)))
    let other = gradient(published)
    #expect(own != nil && other?.shape == kernel.shape)
    if let own, let other { #expect(relativeRMSError(other, own) < 1e-6) }
  }
}
