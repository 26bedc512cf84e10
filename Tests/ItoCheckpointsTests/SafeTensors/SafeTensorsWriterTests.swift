import Foundation
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

@Suite("safetensors writer")
struct SafeTensorsWriterTests {
  static let tensors: [String: Tensor] = [
    "b": Tensor([false, false], shape: [2]), "i8": Tensor([-1] as [Int8], shape: [1]),
    "a.f32": Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3]),
    "u8": Tensor([7, 8, 9] as [UInt8], shape: [3]),
    "h": Tensor([1.5] as [Float], shape: [1]).cast(to: .float16),
    "bf": Tensor([1.5, -2] as [Float], shape: [2]).cast(to: .bfloat16),
    "i32": Tensor([5] as [Int32], shape: [1]), "i64": Tensor([9] as [Int64], shape: []),
    "z": Tensor(zeros: [0, 3]), "F": Tensor([1] as [Float], shape: [1]),
    "é\"": Tensor([1] as [Float], shape: [1]),
  ]

  /// What `safetensors.torch.save` 0.8.0 gives for the same tensors and `{"format": "pt"}`.
  static let golden = [
    "kAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJpNjQiOnsiZHR5cGUiOiJJNjQiLCJzaGFw",
    "ZSI6W10sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJGIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxXSwiZGF0YV9v",
    "ZmZzZXRzIjpbOCwxMl19LCJhLmYzMiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRz",
    "IjpbMTIsMzZdfSwieiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwzXSwiZGF0YV9vZmZzZXRzIjpbMzYsMzZd",
    "fSwiw6lcIiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzM2LDQwXX0sImkzMiI6",
    "eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzQwLDQ0XX0sImJmIjp7ImR0eXBlIjoi",
    "QkYxNiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzQ0LDQ4XX0sImgiOnsiZHR5cGUiOiJGMTYiLCJzaGFw",
    "ZSI6WzFdLCJkYXRhX29mZnNldHMiOls0OCw1MF19LCJpOCI6eyJkdHlwZSI6Ikk4Iiwic2hhcGUiOlsxXSwiZGF0",
    "YV9vZmZzZXRzIjpbNTAsNTFdfSwidTgiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6",
    "WzUxLDU0XX0sImIiOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNTQsNTZdfX0g",
    "ICAgIAkAAAAAAAAAAACAPwAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAAAgD8FAAAAwD8AwAA+/wcICQAA",
  ].joined()

  @Test func bytesAreTheReferences() {
    let bytes = SafeTensors.encoded(Self.tensors, metadata: ["format": "pt"])
    #expect(Data(bytes).base64EncodedString() == Self.golden)
  }

  @Test func everyTypeReadsBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.safetensors")
    let metadata = ["format": "pt", "prompt": "\"quoted\"\n\u{1F600}", "": ""]
    try SafeTensors.write(Self.tensors, metadata: metadata, to: path)
    let file = try SafeTensors(path: path)
    #expect(file.metadata == metadata)
    #expect(file.keys == Set(Self.tensors.keys))
    for (name, tensor) in Self.tensors {
      let back = try file.tensor(name)
      #expect(back.dtype == tensor.dtype)
      #expect(back.shape == tensor.shape)
      #expect(back.bytes == tensor.bytes)
    }
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))).count % 8 == 0)
  }

  @Test func anEmptyFileIsValid() throws {
    let bytes = SafeTensors.encoded([:])
    #expect(bytes == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
    #expect(try SafeTensors(bytes: bytes).keys.isEmpty)
  }

  @Test func aFailedWriteLosesNothing() throws {
    let folder = try TemporaryFolder()
    let tensors = ["a": Tensor(zeros: [1000])]
    // The device that is always full.
    let full = failure { () throws(CheckpointError) in
      try SafeTensors.write(tensors, to: "/dev/full")
    }
    #expect(full?.contains("No space left on device. Free space") == true)
    let missing = failure { () throws(CheckpointError) in
      try SafeTensors.write(tensors, to: folder.file("no/such/x.safetensors"))
    }
    #expect(missing?.contains("Create the folder") == true)
    let isFolder = failure { () throws(CheckpointError) in
      try SafeTensors.write(tensors, to: folder.path)
    }
    #expect(isFolder?.contains("Is a directory") == true)

    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may write anywhere"))
  func readOnlyFoldersAreReported() throws {
    let folder = try TemporaryFolder()
    #expect(chmod(folder.path, 0o500) == 0)
    defer { chmod(folder.path, 0o700) }
    let text = failure { () throws(CheckpointError) in
      try SafeTensors.write([:], to: folder.file("x.safetensors"))
    }
    #expect(text?.contains("Give this user the right to write") == true)
  }
}
