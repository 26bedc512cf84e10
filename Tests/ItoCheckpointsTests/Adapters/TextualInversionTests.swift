import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Textual inversions")
struct TextualInversionTests {
  private let vector = Tensor([1, 2, 3], shape: [3])
  private let vectors = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])

  @Test("A .pt of A1111")
  func pickle() throws {
    let found = try TextualInversion(path: fixture("pickle/embedding.pt"))
    #expect(found.word == "cat" && found.vectors.keys.sorted() == ["text_encoder"])
    #expect(found.vectors["text_encoder"]?.shape == [2, 8])
  }

  @Test("The forms of safetensors")
  func forms() throws {
    let one = try TextualInversion(MemorySource(["<toy>": vector]))
    #expect(one.word == "<toy>" && one.vectors["text_encoder"]?.shape == [1, 3])
    let two = try TextualInversion(
      MemorySource(["emb_params": vectors.cast(to: .float16)], origin: "a/b/style.v2.safetensors"))
    #expect(two.word == "style" && two.vectors["text_encoder"]?.scalars == [1, 2, 3, 4, 5, 6])
    let both = try TextualInversion(
      MemorySource(["clip_l": vectors, "clip_g": vector], origin: "x.safetensors"))
    #expect(both.vectors["text_encoder"]?.shape == [2, 3])
    #expect(both.vectors["text_encoder_2"]?.shape == [1, 3] && both.word == "x")
  }

  @Test("What is none is refused")
  func refused() {
    func reason(_ tensors: [String: Tensor]) -> String {
      failure { () throws(CheckpointError) in _ = try TextualInversion(MemorySource(tensors)) }
        ?? ""
    }
    #expect(reason(["a": vector, "b": vector]).contains("no textual inversion"))
    #expect(reason(["a": Tensor(zeros: [80, 3])]).contains("no textual inversion"))
    #expect(reason(["a": Tensor([.nan], shape: [1])]).contains("NaN"))
    #expect(reason(["a": Tensor([1] as [Int32], shape: [1])]).contains("no textual inversion"))
  }
}
