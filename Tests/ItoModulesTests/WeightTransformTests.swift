import ItoModules
import ItoTensors
import Testing

/// Doubles a weight, in whatever form it is.
private struct Doubled: ConvolutionWeight {
  var base: any ConvolutionWeight
  var shape: Shape { base.shape }
  func apply(to x: Tensor, bias: Tensor?, _ options: ConvolutionOptions) -> Tensor {
    2 * base.apply(to: x, bias: nil, options)
  }
  func dense() -> Tensor { 2 * base.dense() }
  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.visitWeight(&base)
  }
}

private struct DoubleKernels: WeightTransform {
  var places: Set<String>
  func replacement(
    for weight: any ConvolutionWeight, at path: ModulePath
  ) -> (any ConvolutionWeight)? {
    places.contains(path.description) ? Doubled(base: weight) : nil
  }
}

private struct TwoLayers: Module {
  var convolution: Conv2D, linear: Linear
  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv", &convolution)
    try v.child("linear", &linear)
  }
}

@Suite struct WeightTransformTests {
  @Test("A transform of kernels replaces them by path and shares all that it leaves alone")
  func kernels() throws {
    var initial = ParameterInitializer(seed: 1)
    let model = TwoLayers(
      convolution: Conv2D(3, 4, kernel: 3, bias: false, &initial), linear: Linear(2, 2, &initial))
    let changed = model.applying(DoubleKernels(places: ["conv"]))
    #expect(
      changed.convolution.weight.dense().scalars == (2 * model.convolution.weight.dense()).scalars)
    #expect(model.applying(DoubleKernels(places: ["linear"])).convolution.weight is DenseKernel)
    // The wrapped kernel keeps its path and its buffer, and can be wrapped once more.
    let addresses = changed.parameters.map { ($0.path.description, $0.tensor.storageAddress) }
    let before = model.parameters.map { ($0.path.description, $0.tensor.storageAddress) }
    #expect(addresses.map(\.0) == before.map(\.0) && addresses.map(\.1) == before.map(\.1))
    let twice = changed.applying(DoubleKernels(places: ["conv"]))
    #expect(
      twice.convolution.weight.dense().scalars == (4 * model.convolution.weight.dense()).scalars)
  }
}
