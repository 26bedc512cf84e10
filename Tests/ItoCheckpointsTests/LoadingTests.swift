import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

/// A model with every kind of parameter there is.
private struct Model: Module {
  struct Block: Module {
    var linear: any WeightMatrix
    var scale: Tensor
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.visitWeight(&linear)
      try v.parameter("scale", &scale)
    }
  }

  struct Convolution: Module {
    var kernel: any ConvolutionWeight
    mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
      try v.visitWeight(&kernel)
    }
  }

  var convolution: Convolution
  var blocks: [Block]
  /// Four axes, and no kernel.
  var table: Tensor
  var steps: Tensor

  init(seed: UInt64, dtype: DType = .float32) {
    func random(_ shape: Shape, _ n: UInt64) -> Tensor {
      randomTensor(shape, seed: seed + n).cast(to: dtype)
    }
    convolution = Convolution(kernel: DenseKernel(random([5, 3, 2, 4], 1)))
    blocks = (0..<2).map {
      Block(linear: DenseWeight(random([3, 4], $0 + 2)), scale: random([3], $0 + 5))
    }
    table = random([1, 2, 3, 2], 9)
    steps = Tensor([Int64(seed)], shape: [1])
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("conv", &convolution)
    try v.children("blocks", &blocks)
    try v.parameter("table", &table)
    try v.parameter("steps", &steps)
  }

  var values: [[Float]] { parameters.map(\.tensor.scalars) }
}

@Suite("Loading and saving models")
struct LoadingTests {
  @Test func savedModelsLoadExactly() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let saved = Model(seed: 1)
    try saved.save(to: path, metadata: ["step": "7"])
    let file = try SafeTensors(path: path)
    #expect(file.metadata == ["format": "pt", "step": "7"])
    var model = Model(seed: 2)
    let report = try model.load(from: file, checksFinite: true)
    #expect(model.values == saved.values)
    #expect(report == LoadReport(loaded: 7, scalarCount: 163, ignored: []))
    // A checkpoint of whatever format loads alike.
    let found: any TensorSource = try Checkpoint.open(folder.path)
    model = Model(seed: 3)
    try model.load(from: found)
    #expect(model.values == saved.values)
  }

  @Test func kernelsAreKeptAsPublished() throws {
    let model = Model(seed: 1)
    let stored = try #require(model.storedTensors["conv.weight"])
    #expect(stored.shape == [5, 4, 3, 2])
    let (ours, theirs) = (model.convolution.kernel.dense().scalars, stored.scalars)
    for o in 0..<5 {
      for y in 0..<3 {
        for x in 0..<2 {
          for i in 0..<4 {
            #expect(ours[((o * 3 + y) * 2 + x) * 4 + i] == theirs[((o * 4 + i) * 3 + y) * 2 + x])
          }
        }
      }
    }
    #expect(model.storedTensors["table"]?.shape == [1, 2, 3, 2])
  }

  @Test func disagreementsAreAllListedAndNothingChanges() throws {
    var tensors = Model(seed: 1).storedTensors
    tensors["blocks.0.weight"] = nil
    tensors["blocks.1.scale"] = nil
    tensors["blocks.1.weight"] = Tensor(zeros: [4, 3])
    tensors["conv.weight"] = Tensor(zeros: [5, 3, 2, 4])
    tensors["steps"] = Tensor([1] as [Int32], shape: [1])
    tensors["extra"] = Tensor(zeros: [1])
    var model = Model(seed: 2)
    let before = model.values
    let error = #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors, origin: "m.safetensors"))
    }
    guard case .mismatch(let mismatch, "m.safetensors") = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(mismatch.missing.map(\.key) == ["blocks.0.weight", "blocks.1.scale"])
    #expect(mismatch.different.map(\.key) == ["conv.weight", "blocks.1.weight", "steps"])
    #expect(mismatch.different[0].expected == "float32 [5, 4, 3, 2]")
    #expect(mismatch.different[2].found == "int32 [1]")
    #expect(mismatch.unused == ["extra"])
    #expect(model.values == before)
    let text = error?.description ?? ""
    #expect(text.hasPrefix("'m.safetensors' does not fit the model: it lacks blocks.0.weight, "))
    #expect(
      text.contains("blocks.1.weight is float32 [4, 3] where blocks.1.weight needs float32 [3, 4]"))
    #expect(text.contains("the model has no use for extra."))
  }

  @Test func leftOverTensorsNeedPermission() throws {
    var tensors = Model(seed: 1).storedTensors
    tensors["ema.decay"] = Tensor(zeros: [1])
    tensors["other"] = Tensor(zeros: [1])
    var model = Model(seed: 2)
    #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors), unused: .allow { $0.hasPrefix("ema.") })
    }
    let report = try model.load(
      from: MemorySource(tensors), unused: .allow { $0.hasPrefix("ema.") || $0 == "other" })
    #expect(report.ignored == ["ema.decay", "other"])
  }

  @Test func namesMayDiffer() throws {
    let saved = Model(seed: 1)
    var tensors: [String: Tensor] = [:]
    for (key, tensor) in saved.storedTensors { tensors["module." + key] = tensor }
    var model = Model(seed: 2)
    let error = #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors))
    }
    #expect(error?.description.contains("Its keys begin with 'module.'") == true)
    try model.load(from: MemorySource(tensors), keys: .prefixed("module."))
    #expect(model.values == saved.values)
  }

  @Test("parts of a larger tensor", arguments: [0, 1])
  func parts(_ axis: Int) throws {
    let whole = randomTensor(axis == 0 ? [6, 4] : [3, 8], seed: 3)
    var tensors = Model(seed: 1).storedTensors
    tensors["blocks.0.weight"] = nil
    tensors["blocks.1.weight"] = nil
    tensors["fused"] = whole
    let keys = KeyMap { path in
      path.last == "weight" && path.components[0] == "blocks"
        ? .part(of: "fused", axis: axis, index: Int(path.components[1]) ?? 0, count: 2)
        : .whole(path.description)
    }
    var model = Model(seed: 2)
    try model.load(from: MemorySource(tensors), keys: keys)
    for index in 0..<2 {
      let size = whole.shape[axis] / 2
      let expected = whole.sliced((index * size)..<((index + 1) * size), axis: axis)
      let found = model.blocks[index].linear.dense()
      #expect(found.scalars == expected.scalars && found.shape == [3, 4])
    }
    // Half of a tensor is not all of it.
    let first = KeyMap { path in
      path.description == "blocks.1.weight"
        ? .part(of: "fused", axis: axis, index: 0, count: 2) : keys.source(path)
    }
    let error = #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors), keys: first)
    }
    #expect(error?.description.contains("no use for fused (part 1 of 2)") == true)
    tensors["fused"] = Tensor(zeros: [5, 4])
    #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors), keys: keys)
    }
  }

  @Test func elementTypesAreTheModelsUnlessAsked() throws {
    let source = MemorySource(Model(seed: 1, dtype: .bfloat16).storedTensors)
    func types(_ dtype: LoadedType) throws -> [DType] {
      var model = Model(seed: 2)
      try model.load(from: source, dtype: dtype)
      return model.parameters.map(\.tensor.dtype)
    }
    let float = DType.float32
    let brain = DType.bfloat16
    #expect(try types(.parameter) == [float, float, float, float, float, float, .int64])
    #expect(try types(.file) == [brain, brain, brain, brain, brain, brain, .int64])
    let mixed = [DType.float16, .float16, float, .float16, float, .float16, .int64]
    #expect(try types(.matrices(.float16)) == mixed)
  }

  @Test func filesAreSharedWhereTheLayoutAgrees() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    try Model(seed: 1).save(to: path)
    let file = try SafeTensors(path: path)
    var model = Model(seed: 2)
    try model.load(from: file)
    #expect(try model.table.storageAddress == file.tensor("table").storageAddress)
  }

  @Test func nonFiniteWeightsAreRefusedWhenAsked() throws {
    var tensors = Model(seed: 1).storedTensors
    tensors["conv.weight"]?.update { $0[7] = .nan }
    tensors["blocks.1.scale"]?.update { $0[0] = -.infinity }
    var model = Model(seed: 2)
    let before = model.values
    let error = #expect(throws: CheckpointError.self) {
      try model.load(from: MemorySource(tensors), checksFinite: true)
    }
    #expect(
      error
        == .nonFinite(["conv.weight at [0, 1, 0, 1]", "blocks.1.scale at [0]"], file: "memory"))
    #expect(model.values == before)
    try model.load(from: MemorySource(tensors))
    #expect(!model.convolution.kernel.dense().isFinite)
  }

  /// What stays in the file: kernels are packed from there, and pages given back can be read again.
  @Test("kernels of the file's type stay mapped", arguments: [DType.float32, .bfloat16])
  func mappedKernels(_ type: DType) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    let saved = Model(seed: 1, dtype: type)
    try saved.save(to: path)
    let x = randomTensor([1, 7, 6, 4], seed: 3), options = ConvolutionOptions(padding: 1)
    let expected = saved.convolution.kernel.apply(to: x, bias: nil, options)
    for wanted in [LoadedType.file, .matrices(type)] {
      var model = Model(seed: 2, dtype: type)
      let report = try model.load(from: SafeTensors(path: path), dtype: wanted, checksFinite: true)
      #expect(report.loaded == model.parameters.count)
      #expect(model.convolution.kernel is PublishedKernel)
      for _ in 0..<3 {
        let y = model.convolution.kernel.apply(to: x, bias: nil, options)
        #expect(relativeRMSError(y.cast(to: .float32), expected.cast(to: .float32)) < 1e-6)
      }
      #expect(model.values == saved.values)
      let again = folder.file("again.safetensors")
      try model.save(to: again)
      let written = try SafeTensors(path: again).tensor("conv.weight")
      #expect(written.scalars == (try SafeTensors(path: path).tensor("conv.weight")).scalars)
    }
    // Another type is a copy in our order, and so is a model to be trained.
    var model = Model(seed: 2)
    try model.load(from: SafeTensors(path: path))
    #expect(model.convolution.kernel is DenseKernel)
  }

  @Test func typesThatCannotBeReadAreNamed() throws {
    var tensors = Model(seed: 1).storedTensors
    tensors["table"] = nil
    let rest = SafeTensors.encoded(tensors)
    let length = Int(rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    let header = String(decoding: rest[8..<(8 + length)], as: UTF8.self).dropLast(while: {
      $0 == " "
    })
    let size = rest.count - 8 - length
    let text =
      header.dropLast() + "," + entry("table", "F8_E4M3", [1, 2, 3, 2], size..<(size + 12)) + "}"
    let data = Array(rest[(8 + length)...]) + [UInt8](repeating: 0, count: 12)
    let file = try SafeTensors(bytes: safeTensorsFile(String(text), data: data))
    var model = Model(seed: 2)
    let error = #expect(throws: CheckpointError.self) { try model.load(from: file) }
    #expect(error?.description.contains("the tensor 'table' has F8_E4M3 elements") == true)
  }
}

extension String {
  fileprivate func dropLast(while predicate: (Character) -> Bool) -> Substring {
    var end = endIndex
    while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }
}
