import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

@Suite("Matrices in 8 bits")
struct RowQuantizedTests {
  private let tensors: [String: Tensor] = [
    "a.weight": randomTensor([5, 7], seed: 1), "a.bias": randomTensor([5], seed: 2),
    "kernel": randomTensor([3, 2, 3, 3], seed: 3), "kept": randomTensor([4, 4], seed: 4),
    "zeros": Tensor(zeros: [2, 3]),
  ]

  @Test("Every element is within half a scale; a second time changes nothing")
  func bound() throws {
    let stored = RowQuantized.encoding(tensors) { $0 != "kept" }
    #expect(stored["a.weight"]?.dtype == .int8 && stored["a.weight_scale"]?.shape == [5])
    #expect(stored["a.bias"]?.dtype == .float32 && stored["kept"]?.dtype == .float32)
    let source = try RowQuantizedSource(MemorySource(stored))
    #expect(source.keys == Set(tensors.keys))
    for (name, tensor) in tensors {
      let read = try source.tensor(name)
      #expect(read.shape == tensor.shape && source.dtype(of: name) == .float32)
      guard let scales = stored[name + "_scale"]?.scalars else {
        #expect(read.scalars == tensor.scalars)
        continue
      }
      let length = tensor.shape.count / tensor.shape[0]
      for (i, (x, y)) in zip(read.scalars, tensor.scalars).enumerated() {
        #expect((x - y).magnitude <= 0.5001 * scales[i / length])
      }
    }
    let decoded = try ["a.weight": source.tensor("a.weight")]
    #expect(RowQuantized.encoding(decoded)["a.weight"]?.integers == stored["a.weight"]?.integers)
  }

  @Test("Integers without scales are left alone")
  func integers() throws {
    let plain = ["n": Tensor([Int8(3), -4], shape: [1, 2])]
    let source = try RowQuantizedSource(MemorySource(plain))
    #expect(source.dtype(of: "n") == .int8)
    #expect(try source.tensor("n").integers == [3, -4])
    #expect(throws: CheckpointError.self) { try source.tensor("m") }
  }

  @Test("Scales of another number or type are refused by name")
  func corruptScales() throws {
    let matrix = Tensor([Int8](repeating: 1, count: 6), shape: [3, 2])
    for scales in [
      Tensor(zeros: [2]), Tensor(zeros: [3, 1]), Tensor(zeros: [4]),
      Tensor(zeros: [3]).cast(to: .float16), Tensor([Int8(1), 1, 1], shape: [3]),
    ] {
      let text = failure { () throws(CheckpointError) in
        _ = try RowQuantizedSource(MemorySource(["w": matrix, "w_scale": scales]))
      }
      #expect(text?.contains("'w_scale'") == true, "\(scales.dtype) \(scales.shape)")
    }
  }

  @Test("What is offered to be written: long rows in 8 bits, within half a step; the rest as it is")
  func offered() throws {
    let source = MemorySource([
      "long": randomTensor([4, 16], seed: 1), "short": randomTensor([4, 15], seed: 2),
      "row": randomTensor([1, 40], seed: 3), "bias": randomTensor([40], seed: 4),
      "half": randomTensor([2, 3, 3, 4], seed: 5).cast(to: .bfloat16),
      "taken": randomTensor([2, 20], seed: 6), "taken_scale": randomTensor([5], seed: 7),
      "numbers": Tensor([Int32](repeating: 3, count: 40), shape: [2, 20]),
    ])
    let offered = RowQuantizingSource(source)
    let chosen: Set = ["long", "half"]
    #expect(offered.keys == source.keys.union(["long_scale", "half_scale"]))
    let written = MemorySource(
      try Dictionary(uniqueKeysWithValues: offered.keys.map { ($0, try offered.tensor($0)) }))
    for key in offered.keys {
      #expect(written.shape(of: key) == offered.shape(of: key), "\(key)")
      #expect(written.dtype(of: key) == offered.dtype(of: key), "\(key)")
    }
    #expect(
      offered.contents.reduce(0) { $0 + $1.byteCount }
        == written.contents.reduce(0) { $0 + $1.byteCount })
    let read = try RowQuantizedSource(written)
    #expect(read.keys == source.keys)
    for key in source.keys {
      let (exact, found) = (try source.tensor(key), try read.tensor(key))
      guard chosen.contains(key) else {
        #expect(found.dtype == exact.dtype && found.bytes == exact.bytes, "\(key)")
        continue
      }
      let scales = try written.tensor(key + "_scale").scalars
      let length = exact.shape.count / exact.shape[0]
      for (i, (x, y)) in zip(found.scalars, exact.scalars).enumerated() {
        #expect((x - y).magnitude <= 0.5001 * scales[i / length], "\(key) \(i)")
      }
    }
    // Once stored it is passed on as it is, not encoded again.
    let again = RowQuantizingSource(read)
    #expect(again.keys == offered.keys)
    for key in again.keys { #expect(try again.tensor(key).bytes == written.tensor(key).bytes) }
  }

  @Test("An opened file decodes by itself; loading is as strict as ever")
  func opened() throws {
    let folder = try TemporaryFolder()
    var stored = RowQuantized.encoding(["weight": randomTensor([6, 20], seed: 1)])
    stored["bias"] = randomTensor([6], seed: 2)
    try SafeTensors.write(stored, to: folder.file("model.safetensors"))
    let source = try Checkpoint.open(folder.path)
    #expect(source.keys == ["weight", "bias"] && source.dtype(of: "weight") == .float32)
    var initial = ParameterInitializer(seed: 1)
    var layer = Linear(20, 6, &initial)
    try layer.load(from: source)
    #expect(layer.storedTensors["weight"]?.scalars == (try source.tensor("weight").scalars))
    stored["more_scale"] = Tensor(zeros: [6])
    try SafeTensors.write(stored, to: folder.file("model.safetensors"))
    let text = failure { () throws(CheckpointError) in
      try layer.load(from: try Checkpoint.open(folder.path))
    }
    #expect(text?.contains("more_scale") == true)
  }
}
