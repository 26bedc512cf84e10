import ItoCheckpoints
import ItoComponents
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct CheckpointFolderTests {
  let folder = TemporaryFolder()

  private func tensors(_ seed: UInt64) -> [String: Tensor] {
    ["a": randomTensor([3, 4], seed: seed), "b": Tensor([Int32(seed)], shape: [1])]
  }

  private func save(_ checkpoints: CheckpointFolder, _ step: Int) throws {
    try checkpoints.save(tensors(UInt64(step)), state: ["step": .integer(Int64(step))], step: step)
  }

  private var names: [String] { get throws { try files(below: folder("run")).map(\.path) } }

  @Test("The last ones stay, the rest goes")
  func keeps() throws {
    let checkpoints = CheckpointFolder(folder("run"), keeps: 2)
    #expect(try checkpoints.latest() == nil)
    for step in [5, 10, 15, 100_000_000] { try save(checkpoints, step) }
    #expect(checkpoints.steps == [15, 100_000_000])
    #expect(
      try names == [
        "step-00000015.json", "step-00000015.safetensors", "step-100000000.json",
        "step-100000000.safetensors",
      ])
    let found = try #require(try checkpoints.latest())
    #expect(found.step == 100_000_000)
    #expect(try found.tensors.tensor("b").integers == [100_000_000])
    #expect(try checkpoints.load(15).tensors.tensor("a").scalars == tensors(15)["a"]!.scalars)
  }

  @Test("Whatever a killed save leaves behind, the newest whole checkpoint is found and goes on")
  func interrupted() throws {
    let checkpoints = CheckpointFolder(folder("run"), keeps: 2)
    for step in [5, 10] { try save(checkpoints, step) }
    try save(checkpoints, 15)
    let (bytes, json) = (
      try readFile(checkpoints.tensorFile(15)), try readFile(checkpoints.stateFile(15))
    )
    // Every state that a save of step 15 passes through: nothing, parts of either temporary file, the
    // tensors without JSON, both.
    var states: [[(String, [UInt8])]] = [[]]
    for length in stride(from: 0, through: bytes.count, by: 37) {
      states.append([(".step-00000015.safetensors.partial", Array(bytes[..<length]))])
    }
    states.append([("step-00000015.safetensors", bytes)])
    for length in stride(from: 0, through: json.count, by: 37) {
      states.append([
        ("step-00000015.safetensors", bytes),
        (".step-00000015.json.partial", Array(json[..<length])),
      ])
    }
    for state in states {
      let own = TemporaryFolder()
      let again = CheckpointFolder(own.path, keeps: 2)
      for step in [5, 10] { try save(again, step) }
      for (name, content) in state { try own.write(name, content) }
      #expect(try again.latest()?.step == 10)
      try save(again, 15)
      #expect(try again.latest()?.step == 15)
      #expect(try readFile(again.tensorFile(15)) == bytes)
    }
  }

  @Test("A kill between the removal of an old JSON and its tensors is made good")
  func removal() throws {
    let checkpoints = CheckpointFolder(folder("run"), keeps: 1)
    try save(checkpoints, 5)
    try folder.write("run/step-00000003.safetensors", [1, 2, 3])
    try save(checkpoints, 10)
    #expect(try names == ["step-00000010.json", "step-00000010.safetensors"])
  }

  @Test("Any damaged byte is noticed, and the file named")
  func damage() throws {
    let checkpoints = CheckpointFolder(folder("run"))
    try save(checkpoints, 5)
    let file = checkpoints.tensorFile(5)
    let bytes = try readFile(file)
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x04
      try AtomicFile.write(file, bytes: damaged)
      #expect {
        try checkpoints.latest()
      } throws: {
        "\($0)".contains(file)
      }
    }
    try AtomicFile.write(file, bytes: bytes)
    #expect(try checkpoints.latest()?.step == 5)
    try AtomicFile.write(checkpoints.stateFile(5), bytes: Array("{\"step\"".utf8))
    #expect {
      try checkpoints.latest()
    } throws: {
      "\($0)".contains(checkpoints.stateFile(5))
    }
  }

  @Test("A folder that cannot be made is an error, and what was there stays")
  func unwritable() throws {
    try folder.write("file", "text")
    #expect(throws: TrainingError.self) { try save(CheckpointFolder(folder("file/run")), 1) }
  }
}
