import ItoTensors
import Testing

@testable import ItoTraining

@Suite struct IDXFileTests {
  let folder = TemporaryFolder()
  let elements = (0..<24).map { UInt8($0 * 7 % 256) }

  @Test("A file is read plain and compressed", arguments: [false, true])
  func reads(compressed: Bool) throws {
    let bytes = idx([2, 3, 4], elements)
    let path = try folder.write("a", compressed ? gzipped(bytes) : bytes)
    let values = try IDXFile(path).values
    #expect(values.shape == [2, 3, 4])
    #expect(values.dtype == .uint8)
    #expect(values.integers == elements.map(Int.init))
  }

  @Test("Members of a compressed file follow each other")
  func members() throws {
    let bytes = idx([2, 3, 4], elements)
    let path = try folder.write("a", gzipped(Array(bytes[..<9])) + gzipped(Array(bytes[9...])))
    #expect(try IDXFile(path).values.integers == elements.map(Int.init))
  }

  @Test("Truncation anywhere is an error, plain and compressed")
  func truncated() throws {
    let whole = idx([2, 3, 4], elements)
    for bytes in [whole, gzipped(whole)] {
      for length in 0..<bytes.count {
        let path = try folder.write("a", Array(bytes[..<length]))
        #expect(throws: DataError.self) { try IDXFile(path) }
      }
    }
  }

  @Test("A flipped bit in a compressed file is an error or changes nothing")
  func flipped() throws {
    let bytes = gzipped(idx([2, 3, 4], elements))
    for position in 0..<bytes.count {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        let path = try folder.write("a", damaged)
        // Some header fields of gzip (time, system) carry nothing.
        if let file = try? IDXFile(path) { #expect(file.values.integers == elements.map(Int.init)) }
      }
    }
  }

  @Test("Bytes after the end are an error")
  func trailing() throws {
    let bytes = idx([2, 3, 4], elements + [1])
    for content in [bytes, gzipped(bytes)] {
      let path = try folder.write("a", content)
      #expect(throws: DataError.corrupt(path: path, reason: "bytes follow the end of the data")) {
        try IDXFile(path)
      }
    }
  }

  @Test(
    "A header the file cannot fill is refused before memory is taken",
    arguments: [
      [0xffff_ffff], [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [1 << 20, 1 << 20],
      [60_000, 28, 28],
    ])
  func hostile(dims: [Int]) throws {
    for content in [idx(dims, elements), gzipped(idx(dims, elements))] {
      let path = try folder.write("a", content)
      let before = Runtime.memory
      #expect {
        try IDXFile(path)
      } throws: {
        "\($0)".contains("more than the file can hold")
      }
      #expect(Runtime.memory.systemAllocations == before.systemAllocations)
    }
  }

  @Test("A file that unpacks without end takes no more than it declares")
  func bomb() throws {
    // 64 MiB of zeros behind a header that declares 24 bytes.
    let bytes = idx([2, 3, 4], [UInt8](repeating: 0, count: 64 << 20))
    let path = try folder.write("a", gzipped(bytes))
    Runtime.resetPeak()
    let before = Runtime.memory.inUse
    #expect(throws: DataError.self) { try IDXFile(path) }
    #expect(Runtime.memory.peak - before < 1 << 20)
  }

  @Test("Another kind of file is named as such")
  func foreign() throws {
    for bytes in [Array("\u{89}PNG".utf8), [0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 8, 9]] {
      let path = try folder.write("a", bytes)
      #expect {
        try IDXFile(path)
      } throws: {
        "\($0)".contains(path)
      }
    }
    #expect(throws: DataError.self) { try IDXFile(folder("missing")) }
    #expect(throws: DataError.self) { try IDXFile(folder.path) }
  }
}
