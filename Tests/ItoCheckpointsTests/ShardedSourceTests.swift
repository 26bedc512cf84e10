import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Checkpoints in several files")
struct ShardedSourceTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try SafeTensors.write(
      ["a": Tensor([1] as [Float], shape: [1])], to: folder.file("m-1-of-2.safetensors"))
    try SafeTensors.write(
      ["b": Tensor([2, 3] as [Float], shape: [2]), "hidden": Tensor(zeros: [1])],
      to: folder.file("m-2-of-2.safetensors"))
  }

  func open(_ index: String) throws -> ShardedSource {
    try ShardedSource(index: folder.write(index, "m.safetensors.index.json"))
  }

  @Test func tensorsComeFromTheirFiles() throws {
    let source = try open(
      """
      {"metadata": {"total_size": 12, "note": "x"},
       "weight_map": {"b": "m-2-of-2.safetensors", "a": "m-1-of-2.safetensors"}}
      """)
    #expect(source.keys == ["a", "b"])
    #expect(try source.tensor("a").scalars == [1])
    #expect(try source.tensor("b").scalars == [2, 3])
    #expect(source.shape(of: "b") == [2])
    #expect(source.dtype(of: "b") == .float32)
    #expect(source.metadata == ["total_size": "12", "note": "x"])
    #expect(source.contents.map(\.name) == ["a", "b"])
    #expect(source.shape(of: "hidden") == nil)
    #expect(throws: CheckpointError.self) { try source.tensor("hidden") }
    #expect(source.shards.count == 2)
  }

  @Test(
    "broken indexes",
    arguments: [
      ("{}", "no 'weight_map'"), ("[", "not valid JSON: line 1, column 2"),
      (#"{"weight_map": {"a": "m-2-of-2.safetensors"}}"#, "which it has not"),
      (#"{"weight_map": {"a": "m-3-of-3.safetensors"}}"#, "cannot be opened (No such file"),
      (#"{"weight_map": {"a": "../m-1-of-2.safetensors"}}"#, "not the name of a file beside it"),
      (#"{"weight_map": {"a": "/etc/passwd"}}"#, "not the name of a file beside it"),
      (#"{"weight_map": {"a": ""}}"#, "not the name of a file beside it"),
      (#"{"weight_map": {"a": ".."}}"#, "cannot be opened (Is a directory"),
      (#"{"weight_map": {"a": 1}}"#, "not the name of a file beside it"),
      (
        #"{"weight_map": {"a": "m-1-of-2.safetensors", "a": "m-1-of-2.safetensors"}}"#,
        "appears twice"
      ),
    ])
  func broken(_ index: String, _ reason: String) throws {
    let path = try folder.write(index, "m.safetensors.index.json")
    let text = failure { () throws(CheckpointError) in _ = try ShardedSource(index: path) }
    #expect(text?.contains("m.safetensors.index.json' is damaged: ") == true)
    #expect(text?.contains(reason) == true, "\(text ?? "accepted")")
  }
}
