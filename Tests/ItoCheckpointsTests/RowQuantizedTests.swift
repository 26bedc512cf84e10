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
    let source = RowQuantizedSource(MemorySource(stored))
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
    let source = RowQuantizedSource(MemorySource(plain))
    #expect(source.dtype(of: "n") == .int8)
    #expect(try source.tensor("n").integers == [3, -4])
    #expect(throws: CheckpointError.self) { try source.tensor("m") }
  }
}
