import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("GGUF files")
struct GGUFTests {
  @Test("Every type gives the numbers gguf's own code gives, bit for bit")
  func values() throws {
    let file = try Checkpoint.open(fixture("gguf/blocks.gguf"))
    let expected = try SafeTensors(path: fixture("gguf/expected.safetensors"))
    #expect(file.keys == expected.keys)
    for key in expected.keys.sorted() {
      let (a, b) = (try file.tensor(key), try expected.tensor(key))
      #expect(
        a.shape == b.shape && file.shape(of: key) == b.shape && file.dtype(of: key) == a.dtype)
      #expect(a.scalars == b.scalars, "\(key)")
    }
    #expect(try file.tensor("flattened").shape == [4, 2, 4, 4])
    #expect(file.contents.first { $0.name == "Q4_K" }?.byteCount == 3 * 2 * 144)
    #expect(file.metadata["general.architecture"] == "sd1" && file.metadata["test.number"] == "7")
    #expect(file.metadata["test.flag"] == "true" && file.metadata["test.fraction"] == "0.5")
    #expect(
      file.metadata["test.short"] == "[1, 2, 3]" && file.metadata["test.texts"] == "20 values")
  }

  @Test("Blocks are spread over tasks without a seam")
  func manyBlocks() throws {
    // One row of Q8_0: block b has scale 1 and the numbers b mod 100.
    let blocks = 5000
    var data: [UInt8] = []
    for b in 0..<blocks {
      data += [0x00, 0x3C] + [UInt8](repeating: UInt8(b % 100), count: 32)
    }
    let bytes = ggufFile([("x", [UInt64(blocks * 32)], 8, 0)], data: data)
    let file = try open(bytes)
    let values = try file.tensor("x").scalars
    let wrong = (0..<blocks).filter { block in
      let expected = Float(block % 100)
      return values[block * 32] != expected || values[block * 32 + 31] != expected
    }
    #expect(wrong.isEmpty)
  }

  private func open(_ bytes: [UInt8]) throws -> GGUF {
    let storage = Storage(byteCount: bytes.count)
    bytes.withUnsafeBytes { storage.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    return try GGUF(
      viewing: UnsafeRawBufferPointer(start: storage.base, count: bytes.count), owner: storage,
      origin: "x")
  }

  @Test("Files that break the rules are refused, with the reason")
  func broken() throws {
    let data = [UInt8](repeating: 0, count: 64)
    func reason(_ bytes: [UInt8]) -> String {
      do { _ = try open(bytes) } catch { return "\(error)" }
      return "accepted"
    }
    #expect(reason(ggufFile([("x", [16], 0, 0)], data: data)) == "accepted")
    #expect(reason(ggufFile([("x", [17], 0, 0)], data: data)).contains("within the file"))
    #expect(reason(ggufFile([("x", [16], 0, 32)], data: data)).contains("within the file"))
    #expect(reason(ggufFile([("x", [1], 0, 4)], data: data)).contains("no place"))
    #expect(
      reason(ggufFile([("x", [1], 0, 0), ("x", [1], 0, 32)], data: data)).contains("two tensors"))
    #expect(
      reason(ggufFile([("x", [9], 0, 0), ("y", [1], 0, 32)], data: data)).contains("overlap"))
    #expect(reason(ggufFile([("x", [33], 8, 0)], data: data)).contains("whole blocks"))
    #expect(reason(ggufFile([("x", [0], 0, 0)], data: data)).contains("impossible"))
    #expect(reason(ggufFile([("x", [1 << 62, 4], 0, 0)], data: data)).contains("impossible"))
    #expect(reason(ggufFile([("x", [1, 1, 1, 1, 1], 0, 0)], data: data)).contains("axes"))
    #expect(reason(ggufFile([("x", [1], 77, 0)], data: data)).contains("unknown type 77"))
    #expect(reason(ggufFile([], tensorCount: 1 << 40, data: data)).contains("claims"))
    #expect(reason(ggufFile([], version: 1, data: data)).contains("version 1"))
    #expect(reason(ggufFile([], version: 3 << 24, data: data)).contains("big-endian"))
    let file = try open(ggufFile([("x", [256], 16, 0)], data: data + data))
    #expect(file.dtype(of: "x") == nil)
    #expect(throws: CheckpointError.self) { try file.tensor("x") }
  }
}

/// A GGUF file with these tensors (name, sizes innermost first, type, offset).
private func ggufFile(
  _ tensors: [(String, [UInt64], UInt32, UInt64)], version: UInt32 = 3, tensorCount: UInt64? = nil,
  data: [UInt8]
) -> [UInt8] {
  var bytes: [UInt8] = []
  func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
  }
  put(UInt32(0x4655_4747))
  put(version)
  put(tensorCount ?? UInt64(tensors.count))
  put(UInt64(0))
  for (name, sizes, type, offset) in tensors {
    put(UInt64(name.utf8.count))
    bytes += Array(name.utf8)
    put(UInt32(sizes.count))
    for size in sizes { put(size) }
    put(type)
    put(offset)
  }
  while bytes.count % 32 != 0 { bytes.append(0) }
  return bytes + data
}

@Suite("GGUF reader against damaged files")
struct GGUFFuzzTests {
  @Test("120,000 damaged files", arguments: 0..<6)
  func mutations(_ part: Int) throws {
    let small = ggufFile(
      [("a", [8], 0, 0), ("b", [32], 8, 32), ("c", [2, 2], 1, 96)],
      data: [UInt8](repeating: 1, count: 128))
    let seeds = [try fixtureBytes("gguf/blocks.gguf"), small, small, small]
    let pieces: [[UInt8]] = [
      Array("GGUF".utf8), [3, 0, 0, 0], [9, 0, 0, 0, 9, 0, 0, 0], [8, 0, 0, 0],
      [0xFF, 0xFF, 0xFF, 0xFF],
      [12, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0x80], Array("general.alignment".utf8),
    ]
    let (opened, violations, excess) = try fuzz(
      seeds, pieces: pieces, count: 20_000, seed: UInt64(part)
    ) { try GGUF(viewing: $0, owner: $1, origin: "x") }
    #expect(violations == 0)
    #expect(excess <= allowedExcess)
    // Both ways out were taken.
    #expect(opened > 500 && opened < 15_000, "\(opened)")
  }
}
