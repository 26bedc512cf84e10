import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("PyTorch pickles")
struct PickleCheckpointTests {
  @Test(
    "Both layouts give the tensors PyTorch saved, bit for bit", arguments: ["zip.pt", "plain.pt"])
  func layouts(_ name: String) throws {
    let file = try Checkpoint.open(fixture("pickle/\(name)"))
    let expected = try SafeTensors(path: fixture("pickle/expected.safetensors"))
    #expect(file.keys == expected.keys)
    for key in expected.keys {
      let (a, b) = (try file.tensor(key), try expected.tensor(key))
      #expect(a.shape == b.shape && a.dtype == b.dtype && a.bytes == b.bytes, "\(key)")
      #expect(file.shape(of: key) == b.shape && file.dtype(of: key) == b.dtype)
    }
    // The optimizer's tensors are no part of the model; facts of the training are kept.
    #expect(
      file.metadata == ["epoch": "3", "global_step": "470000", "note": "écrit à la main"])
  }

  @Test("Tensors of an archive share the file's memory, and tied ones each other's")
  func sharing() throws {
    let file = try PickleCheckpoint(path: fixture("pickle/zip.pt"))
    #expect(try file.tensor("tied").storageAddress == file.tensor("tied").storageAddress)
    #expect(try file.tensor("transposed").storageAddress != file.tensor("tied").storageAddress)
  }

  @Test("Nested dictionaries become dotted names")
  func embedding() throws {
    let file = try PickleCheckpoint(path: fixture("pickle/embedding.pt"))
    #expect(file.keys == ["string_to_param.*"])
    #expect(file.metadata["name"] == "cat" && file.metadata["string_to_token.*"] == "265")
  }

  @Test(
    "A pickle that would call something is refused by the name of what it wanted",
    arguments: [
      ("system.pt", "posix.system (Python's os.system)"), ("eval.pt", "__builtin__.eval"),
      ("system-0.pt", "os.system"), ("system-1.pt", "os.system"), ("system-2.pt", "os.system"),
      ("system-3.pt", "os.system"), ("system-4.pt", "os.system"),
    ])
  func refused(_ name: String, _ wanted: String) throws {
    let text = failure { () throws(CheckpointError) in
      _ = try Checkpoint.open(fixture("pickle/\(name)"))
    }
    #expect(text?.contains("asks for") == true && text?.contains(wanted) == true, "\(text ?? "")")
  }

  private func read(_ bytes: [UInt8]) throws(CheckpointError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      _ = try TorchFile(UnsafeRawBufferPointer(bytes), file: "x")
    }
  }

  /// A pickle of protocol 2 with these instructions, as the file it would be.
  private func reason(_ instructions: [UInt8]) -> String? {
    failure { () throws(CheckpointError) in
      let bytes: [UInt8] = [0x80, 2] + instructions
      try read(bytes)
    }
  }

  @Test(
    "Instructions that lead outside are refused",
    arguments: [
      ("ios\nsystem\n.", "os.system"), ("o.", "OBJ"), ("Psecret\n.", "secret"),
      ("cos\npopen\n.", "os.popen"), ("c__builtin__\neval\n.", "__builtin__.eval"),
      ("ctorch\nload\n.", "torch.load"), ("ctorch\nComplexFloatStorage\n.", "ComplexFloatStorage"),
      ("ctorch\nFloatStorage\n)R.", "storage"),
    ])
  func outside(_ text: String, _ wanted: String) {
    let found = reason(Array(text.utf8))
    #expect(
      found?.contains("asks for") == true && found?.contains(wanted) == true, "\(found ?? "")")
  }

  @Test("Programs that break the rules are damaged files, not crashes")
  func broken() {
    for text in [
      "", ".", "0.", "t.", "a.", "s.", "h\u{1}.", "R.", "b.", "Q.", "]K\u{1}R.", "(1.", "K",
    ] {
      #expect(reason(Array(text.utf8))?.contains("is damaged") == true, "\(text)")
    }
  }

  @Test("Objects that would fill the memory end the reading, and sharing does not multiply them")
  func bombs() {
    // A million nested lists, and a list of lists of lists … each holding the one before twice.
    #expect(reason([UInt8](repeating: 0x5D, count: 1 << 20))?.contains("more objects") == true)
    var doubling: [UInt8] = Array("]q\u{0}.".utf8.dropLast())
    for _ in 0..<40 { doubling += Array("]q\u{1}(h\u{0}h\u{0}e0h\u{1}q\u{0}".utf8) }
    #expect(reason(doubling + Array(".".utf8))?.contains("nested too deeply") == true)
    doubling = Array("]q\u{0}".utf8)
    for _ in 0..<14 {
      doubling += Array("]q\u{1}(h\u{0}h\u{0}h\u{0}h\u{0}e0h\u{1}q\u{0}".utf8)
    }
    #expect(reason(doubling + Array(".".utf8))?.contains("more objects") == true)
    // A list that holds itself.
    #expect(reason(Array("]q\u{0}h\u{0}a.".utf8))?.contains("nested too deeply") == true)
  }

  @Test("A tensor larger than its data is refused")
  func expanded() throws {
    var bytes = try fixtureBytes("pickle/zip.pt")
    // The offsets of `slice`, moved beyond the end of its storage: K 9 becomes K 200.
    let pattern: [UInt8] = [0x51, 0x4B, 9, 0x4B, 2]
    let at = try #require(
      (0..<(bytes.count - 5)).first { Array(bytes[$0..<($0 + 5)]) == pattern })
    bytes[at + 2] = 200
    let text = failure { () throws(CheckpointError) in
      try read(bytes)
    }
    #expect(text?.contains("from element 200 on in data of 24") == true, "\(text ?? "")")
  }
}

@Suite("Pickle reader against damaged files")
struct PickleFuzzTests {
  @Test("120,000 damaged files", arguments: 0..<6)
  func mutations(_ part: Int) throws {
    let names = ["zip", "plain", "embedding", "eval", "system", "system-0", "system-2", "system-4"]
    let seeds = try names.map { try fixtureBytes("pickle/\($0).pt") }
    let pieces: [[UInt8]] =
      [
        "(", "]", "}", "t", "e", "u", "R", "b", "Q", "0", "2", ".", "(1", "h\u{0}", "q\u{1}",
        "K\u{7f}",
        "ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n", "cos\nsystem\n",
        "X\u{4}\u{0}\u{0}\u{0}abcd",
        "PK\u{1}\u{2}", "PK\u{5}\u{6}", "PK\u{6}\u{7}", "data.pkl",
      ].map { Array($0.utf8) } + [
        [0x8A, 0x08], [0x8B, 0xFF, 0xFF, 0xFF, 0x7F], [0x93], [0x94], [0x81],
      ]
    let (opened, violations, excess) = try fuzz(
      seeds, pieces: pieces, count: 20_000, seed: UInt64(part)
    ) { try PickleCheckpoint(viewing: $0, owner: $1, origin: "x") }
    #expect(violations == 0)
    #expect(excess <= allowedExcess)
    // Both ways out were taken.
    #expect(opened > 500 && opened < 15_000, "\(opened)")
  }
}
