import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Finding checkpoints")
struct CheckpointFormatTests {
  let folder: TemporaryFolder
  let bytes = SafeTensors.encoded(["a": Tensor(zeros: [1])])

  init() throws { folder = try TemporaryFolder() }

  @Test func aFileIsKnownByNameOrContent() throws {
    try folder.write(bytes, "x.safetensors")
    try folder.write(bytes, "weights")
    try folder.write(#"{"weight_map": {"a": "x.safetensors"}}"#, "x.safetensors.index.json")
    for name in ["x.safetensors", "weights", "x.safetensors.index.json"] {
      #expect(try Checkpoint.open(folder.file(name)).keys == ["a"])
    }
  }

  @Test(
    "in a folder",
    arguments: [
      (["model.safetensors", "model.fp16.safetensors"], "model.safetensors"),
      (
        ["diffusion_pytorch_model.safetensors", "other.safetensors"],
        "diffusion_pytorch_model.safetensors"
      ),
      (["one.safetensors", "config.json"], "one.safetensors"),
      (
        ["model.fp16.safetensors", "model.bf16.safetensors"], "model.fp16.safetensors"
      ),
      (
        [
          "model.fp16-1.safetensors", "model.fp16-2.safetensors",
          "model.safetensors.index.fp16.json",
        ],
        "model.safetensors.index.fp16.json"
      ), (["one.gguf", "config.json"], "one.gguf"),
      (["a.safetensors", "b.safetensors"], nil), (["config.json"], nil),
      (["model_index.json"], nil),
      (
        ["model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"],
        "model.safetensors.index.json"
      ),
      (
        ["v-1.safetensors", "v-2.safetensors", "v.safetensors.index.json"],
        "v.safetensors.index.json"
      ),
    ] as [([String], String?)])
  func folders(_ names: [String], _ expected: String?) throws {
    for name in names { try folder.write(bytes, name) }
    let found = try? Checkpoint.checkpoint(in: folder.path)
    #expect(found == expected.map { folder.file($0) })
  }

  @Test(
    "what is no checkpoint is named",
    arguments: [
      ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
      ("PK\u{3}\u{4}archive/data.pkl", "no zip directory"),
      ("GGUF\u{3}", "its header is cut short"),
      ("<!DOCTYPE html>", "a web page"),
    ])
  func misidentified(_ content: String, _ reason: String) throws {
    let path = try folder.write(content, "x.safetensors")
    let text = failure { () throws(CheckpointError) in _ = try Checkpoint.open(path) }
    #expect(text?.contains(reason) == true)
  }

  @Test func otherFilesAreRefused() throws {
    let path = try folder.write("hello", "x.txt")
    let text = failure { () throws(CheckpointError) in _ = try Checkpoint.open(path) }
    #expect(
      text?.contains("no checkpoint of a known format (sharded safetensors, GGUF, PyTorch pickle")
        == true)
    #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.file("none")) }
    #expect(throws: CheckpointError.self) { try Checkpoint.open(folder.path) }
  }
}
