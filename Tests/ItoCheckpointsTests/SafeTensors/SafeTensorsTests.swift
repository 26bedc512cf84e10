import Foundation
import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("safetensors reader")
struct SafeTensorsTests {
  @Test func readsEveryStoredType() throws {
    let header = [
      entry("i64", "I64", [2], 0..<16), entry("f32", "F32", [1, 2], 16..<24),
      entry("i32", "I32", [], 24..<28), entry("bf16", "BF16", [1], 28..<30),
      entry("f16", "F16", [1], 30..<32), entry("i8", "I8", [2], 32..<34),
      entry("u8", "U8", [2], 34..<36), entry("bool", "BOOL", [3], 36..<39),
      entry("none", "F32", [0, 3], 39..<39),
    ].joined(separator: ",")
    var data: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0xFF, count: 8)
    data += [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC1, 7, 0, 0, 0, 0xC0, 0x3F, 0, 0x3C]
    data += [0x80, 0x7F, 0, 0xFF, 0, 1, 2]
    let file = try SafeTensors(bytes: safeTensorsFile("{\(header)}", data: data))
    #expect(try file.tensor("i64").integers == [1, -1])
    #expect(try file.tensor("f32").scalars == [1, -10])
    #expect(try file.tensor("f32").shape == [1, 2])
    #expect(try file.tensor("i32").item == 7)
    #expect(try file.tensor("bf16").scalars == [1.5])
    #expect(try file.tensor("f16").scalars == [1])
    #expect(try file.tensor("i8").integers == [-128, 127])
    #expect(try file.tensor("u8").integers == [0, 255])
    // Any byte but 0 is true, and becomes 1.
    #expect(try file.tensor("bool").bytes == [0, 1, 1])
    #expect(try file.tensor("none").shape == [0, 3])
    for (key, dtype) in [("i64", DType.int64), ("bf16", .bfloat16), ("bool", .bool), ("i8", .int8)]
    {
      #expect(try file.tensor(key).dtype == dtype)
      #expect(file.dtype(of: key) == dtype)
    }
    #expect(file.keys.count == 9)
    #expect(file.contents.map(\.name).first == "i64")
  }

  @Test func convertsWiderTypes() throws {
    let header = [
      entry("f64", "F64", [1], 0..<8), entry("u64", "U64", [1], 8..<16),
      entry("u32", "U32", [1], 16..<20), entry("u16", "U16", [1], 20..<22),
      entry("i16", "I16", [1], 22..<24),
    ].joined(separator: ",")
    var data = withUnsafeBytes(of: Double(0.1)) { Array($0) }
    data += [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: 8)
    // An odd header puts every element at an odd address.
    let file = try SafeTensors(bytes: safeTensorsFile("{\(header)} ", data: data))
    #expect(try file.tensor("f64").scalars == [0.1])
    #expect(try file.tensor("u64").integers == [Int.max])
    #expect(try file.tensor("u32").integers == [0xFFFF_FFFF])
    #expect(try file.tensor("u16").integers == [0xFFFF])
    #expect(try file.tensor("i16").integers == [-1])
    let tooLarge = try SafeTensors(
      bytes: safeTensorsFile(
        "{\(entry("u64", "U64", [1], 0..<8))}", data: [0, 0, 0, 0, 0, 0, 0, 0x80]))
    #expect(throws: CheckpointError.self) { try tooLarge.tensor("u64") }
  }

  @Test(
    "types that are only listed",
    arguments: [
      ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8),
      ("F6_E2M3", 6), ("F6_E3M2", 6), ("F4", 4), ("C64", 64),
    ])
  func listedOnly(_ type: String, _ bits: Int) throws {
    let header = "{\(entry("w", type, [2, 4], 0..<bits))}"
    let file = try SafeTensors(
      bytes: safeTensorsFile(header, data: [UInt8](repeating: 1, count: bits)), origin: "x")
    #expect(file.shape(of: "w") == [2, 4])
    #expect(file.contents == [StoredTensor(name: "w", type: type, shape: [2, 4], byteCount: bits)])
    #expect(file.dtype(of: "w") == nil)
    let text = failure { () throws(CheckpointError) in _ = try file.tensor("w") }
    #expect(
      text == "'x' cannot be used: the tensor 'w' has \(type) elements, which are not supported.")
  }

  @Test("tensors share the mapped file; odd addresses are copied", arguments: [0, 1, 2, 3])
  func zeroCopy(_ spaces: Int) throws {
    let folder = try TemporaryFolder()
    let header = "{\(entry("a", "F32", [2], 0..<8)),\(entry("b", "U8", [1], 8..<9))}"
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8 + spaces)
    let path = try folder.write(
      safeTensorsFile(header + padding, data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 9]), "x.safetensors"
    )
    let file = try SafeTensors(path: path)
    let (first, second) = (try file.tensor("a"), try file.tensor("a"))
    #expect((first.storageAddress == second.storageAddress) == (spaces % 4 == 0))
    #expect(try file.tensor("b").storageAddress == file.tensor("b").storageAddress)
    #expect(first.scalars == [1, 2])
    // Writing makes a copy of its own; the file is not touched.
    var changed = try file.tensor("a")
    changed.update { $0[0] = 5 }
    #expect(changed.scalars == [5, 2])
    #expect(try file.tensor("a").scalars == [1, 2])
    #expect(try SafeTensors(path: path).tensor("a").scalars == [1, 2])
    #expect(try SafeTensors(path: path, mapped: false).tensor("a").scalars == [1, 2])
  }

  @Test func tensorsOutliveTheirFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    try SafeTensors.write(["a": Tensor([1, 2, 3] as [Float], shape: [3])], to: path)
    var tensor: Tensor?
    do { tensor = try SafeTensors(path: path).tensor("a") }
    // Replacing the file by renaming leaves what was read.
    try SafeTensors.write(["a": Tensor([9, 9, 9] as [Float], shape: [3])], to: path)
    try FileManager.default.removeItem(atPath: path)
    #expect(tensor?.scalars == [1, 2, 3])
  }

  @Test func aFileCutWhileOpenIsAnError() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    try SafeTensors.write(["a": Tensor(zeros: [100_000])], to: path)
    let file = try SafeTensors(path: path)
    let copied = try SafeTensors(path: path, mapped: false)
    #expect(truncate(path, 1000) == 0)
    let text = failure { () throws(CheckpointError) in _ = try file.tensor("a") }
    #expect(text?.contains("was cut from 400072 to 1000 bytes while it was in use") == true)
    #expect(try copied.tensor("a").isFinite)
  }

  @Test("broken files", arguments: SafeTensorsTests.brokenFiles)
  func broken(_ bytes: [UInt8], _ reason: String) {
    let text = failure { () throws(CheckpointError) in
      _ = try SafeTensors(bytes: bytes, origin: "model.safetensors")
    }
    #expect(text?.hasPrefix("'model.safetensors' is damaged: ") == true)
    #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
  }

  static let brokenFiles: [([UInt8], String)] = {
    let a = entry("a", "F32", [2], 0..<8)
    let good = safeTensorsFile("{\(a)}", data: [UInt8](repeating: 0, count: 8))
    func file(_ header: String, _ count: Int = 8) -> [UInt8] {
      safeTensorsFile(header, data: [UInt8](repeating: 0, count: count))
    }
    func flipped(_ index: Int) -> [UInt8] {
      var bytes = good
      bytes[index] ^= 0x80
      return bytes
    }
    let deep = String(repeating: "[", count: 100_000)
    return [
      ([], "has 0 bytes"), ([1, 2, 3], "has 3 bytes"),
      (Array(good.dropLast()), "ends at byte 8 of the data, which has 7"),
      (Array(good.prefix(40)), "the file ends after 32"),
      (good + [0], "1 bytes follow the last tensor"),
      (safeTensorsFile("{}", length: 1 << 63), "claims 9223372036854775808 bytes"),
      (safeTensorsFile("{}", length: .max), "more than the 100000000 allowed"),
      (
        safeTensorsFile("{}", length: 100_000_000),
        "claims 100000000 bytes and the file ends after 2"
      ),
      (safeTensorsFile("{}", length: 0), "does not begin with '{'"),
      (flipped(8), "does not begin with '{'"), (flipped(10), "not valid UTF-8"),
      (file(" {\(a)}"), "does not begin with '{'"), (file("[]"), "does not begin with '{'"),
      (file("{\(a)"), "is not valid: line 1, column"), (file("{\(a)}x"), "unexpected 'x'"),
      (file("{\(a),\(a)}"), "the key \"a\" appears twice"),
      (
        file("{\(entry("a", "F32", [1], 0..<4)),\(entry("b", "F32", [2], 0..<8))}"),
        "within the one before"
      ),
      (
        file("{\(entry("a", "F32", [2], 0..<8)),\(entry("b", "F32", [1], 4..<8))}"),
        "within the one before"
      ),
      (file("{\(entry("a", "F32", [1], 4..<8))}"), "a hole from byte 0 to 4"),
      (
        file("{\(entry("a", "U8", [1], 0..<1)),\(entry("b", "U8", [6], 2..<8))}"),
        "a hole from byte 1 to 2"
      ),
      (file("{\(entry("a", "F32", [4], 0..<16))}"), "ends at byte 16 of the data, which has 8"),
      (file("{\(entry("a", "F32", [1], 0..<8))}"), "takes 4 bytes as F32 [1]"),
      (
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}"),
        "a begin and an end"
      ),
      (
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}"), "a begin and an end"
      ),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}"), "whole numbers"),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.0]}}"), "whole numbers"),
      (
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,18446744073709551615]}}"),
        "whole numbers"
      ),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}"), "whole numbers"),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}"), "has no shape"),
      (file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}"), "has no data_offsets"),
      (file("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}"), "has no dtype"),
      (file("{\"a\":[]}"), "is an array, not an object"),
      (file("{\(entry("a", "F7", [8], 0..<8))}"), "the unknown dtype \"F7\""),
      (file("{\(entry("a", "f32", [2], 0..<8))}"), "the unknown dtype \"f32\""),
      (file("{\(entry("a", "F4", [15], 0..<8))}"), "does not fill whole bytes"),
      (file("{\(entry("a", "U8", [1 << 62, 1 << 62], 0..<8))}"), "which overflows"),
      (file("{\(entry("a", "U8", [1 << 32, 1 << 32], 0..<0))}"), "which overflows"),
      (file("{\(entry("b", "F32", [.max, .max, 0], 0..<0)),\(a)}"), "which overflows"),
      (file("{\"__metadata__\":{\"a\":1},\(a)}"), "only text is allowed"),
      (file("{\"__metadata__\":[],\(a)}"), "is an array, not an object"),
      (file("{\"__metadata__\":null,\(a)}"), "is null, not an object"),
      (file("{\"a\":\(deep)"), "nested more than 128 deep"),
      (safeTensorsFile("{}") + [0], "1 bytes follow the last tensor"),
    ]
  }()

  @Test func theHeadersSpacesAndForeignFieldsAreAccepted() throws {
    let entry = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"note\":7}"
    let file = try SafeTensors(
      bytes: safeTensorsFile("{\"__metadata__\":{\"k\":\"v\"},\"a\":\(entry)}   \n ", data: [3]))
    #expect(file.metadata == ["k": "v"])
    #expect(try file.tensor("a").integers == [3])
    #expect(try SafeTensors(bytes: safeTensorsFile("{}")).keys.isEmpty)
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = try TemporaryFolder()
    for (path, reason) in [
      (folder.file("none.safetensors"), "No such file"), (folder.path, "Is a directory"),
      ("/dev/null", "it is not a regular file"),
    ] {
      let text = failure { () throws(CheckpointError) in _ = try SafeTensors(path: path) }
      #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
    }
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(throws: CheckpointError.self) { try SafeTensors(path: pipe) }
    let empty = try folder.write([UInt8](), "empty.safetensors")
    let text = failure { () throws(CheckpointError) in _ = try SafeTensors(path: empty) }
    #expect(text?.contains("has 0 bytes") == true)
  }

  @Test func nonFiniteTensorsAreNamed() throws {
    let source = MemorySource([
      "fine": Tensor([1, 2] as [Float], shape: [2]), "ints": Tensor([1] as [Int32], shape: [1]),
      "nan": Tensor([1, .nan] as [Float], shape: [2]),
      "inf": Tensor([.infinity] as [Float], shape: [1]).cast(to: .bfloat16),
    ])
    let text = failure { () throws(CheckpointError) in try source.checkFinite() }
    #expect(text?.contains("NaN or infinite values in inf at [0], nan at [1].") == true)
    #expect(throws: Never.self) {
      try MemorySource(["fine": Tensor(zeros: [3])]).checkFinite()
    }
  }
}
