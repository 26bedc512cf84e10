import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

/// One of each kind of layer that keeps its weight in half precision.
private struct Network: Module {
  var table: Embedding
  var linear: Linear
  var convolution: Conv2D
  var pointwise: Conv2D

  init(seed: UInt64) {
    var initial = ParameterInitializer(seed: seed)
    table = Embedding(10, 12, &initial)
    linear = Linear(12, 16, &initial)
    convolution = Conv2D(16, 20, kernel: 3, &initial)
    pointwise = Conv2D(20, 6, kernel: 1, &initial)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("table", &table)
    try v.child("linear", &linear)
    try v.child("conv", &convolution)
    try v.child("pointwise", &pointwise)
  }

  /// `[1, 5, 5, 6]`
  func callAsFunction() -> Tensor {
    let ids = Tensor((0..<25).map { Int32($0 % 10) }, shape: [1, 25])
    let x = linear(table(ids)).reshaped(to: [1, 5, 5, 16])
    return pointwise(convolution(x))
  }
}

@Suite("Half precision that stays in the file")
struct HalfPrecisionLoadingTests {
  private func saved(_ type: DType, to path: String, damage: String? = nil) throws {
    var tensors = Network(seed: 1).converted(to: type).storedTensors
    if let damage, let tensor = tensors[damage] {
      var wide = tensor.cast(to: .float32)
      wide.update { $0[3] = .nan }
      tensors[damage] = wide.cast(to: tensor.dtype)
    }
    try SafeTensors.write(tensors, to: path)
  }

  @Test("gives the results of a widened copy, to rounding", arguments: [DType.bfloat16, .float16])
  func equality(_ type: DType) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try saved(type, to: path)
    let file = try SafeTensors(path: path)
    var wide = Network(seed: 2), half = Network(seed: 3)
    try wide.load(from: file, dtype: .matrices(.float32))
    let report = try half.load(from: file, dtype: .computing(.float32), checksFinite: true)
    #expect(report.loaded == half.parameters.count)
    #expect(report.scalarCount == half.parameterCount)
    let weight = try #require(half.linear.weight as? HalfWeight)
    #expect(try weight.values.storageAddress == file.tensor("linear.weight").storageAddress)
    #expect(half.convolution.weight is PublishedKernel && half.pointwise.weight is PublishedKernel)
    #expect(half.table.weight.dtype == type)
    #expect(try half.table.weight.storageAddress == file.tensor("table.weight").storageAddress)
    let result = half()
    #expect(mismatch(result, wide()) == nil)
    // The same parameters to whoever looks.
    #expect(half.parameters.map(\.tensor.scalars) == wide.parameters.map(\.tensor.scalars))
    // Pages that are given back, once or after every use, are found again.
    file.mappedFiles[0].releasePages()
    #expect(half().scalars == result.scalars)
    file.mappedFiles[0].releasesAfterUse = true
    #expect(half().scalars == result.scalars)
    #expect(!file.mappedFiles[0].hasNonFinite)
    // Another precision is a copy, as ever.
    var other = Network(seed: 4)
    try other.load(from: file, dtype: .computing(type == .bfloat16 ? .float16 : .bfloat16))
    #expect(other.linear.weight is DenseWeight && other.table.vectorType == nil)
  }

  @Test("pages given back after each use, of weights in float32: the same bits")
  func released() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try saved(.float32, to: path)
    let kept = try SafeTensors(path: path), released = try SafeTensors(path: path)
    released.mappedFiles[0].releasesAfterUse = true
    var a = Network(seed: 2), b = Network(seed: 3)
    try a.load(from: kept, dtype: .computing(.float32))
    try b.load(from: released, dtype: .computing(.float32))
    for _ in 0..<2 { #expect(a().scalars == b().scalars) }
  }

  @Test(
    "what is not finite is met by the layer that uses it, and named",
    arguments: ["linear.weight", "conv.weight", "pointwise.weight", "table.weight"],
    [DType.bfloat16, .float32])
  func damage(_ name: String, _ type: DType) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try saved(type, to: path, damage: name)
    let file = try SafeTensors(path: path)
    var network = Network(seed: 2)
    try network.load(from: file, dtype: .computing(.float32), checksFinite: true)
    #expect(!file.mappedFiles[0].hasNonFinite)
    _ = network()
    #expect(file.mappedFiles[0].hasNonFinite)
    let error = #expect(throws: CheckpointError.self) { try file.checkFinite() }
    #expect("\(error.map { "\($0)" } ?? "")".contains("\(name) at [0, "))
  }

  @Test("what is converted is looked at when it is read")
  func vectors() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try saved(.bfloat16, to: path, damage: "conv.bias")
    var network = Network(seed: 2)
    let error = #expect(throws: CheckpointError.self) {
      try network.load(
        from: SafeTensors(path: path), dtype: .computing(.float32), checksFinite: true)
    }
    #expect(error == .nonFinite(["conv.bias at [3]"], file: path))
  }
}
