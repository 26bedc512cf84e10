import ItoCheckpoints
import ItoComponents
import ItoModels
import ItoModules
import ItoTensors
import ItoTestSupport
import ItoTokenizers
import Testing

@testable import ItoPipelines

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite("Adapters, learned words and models in one file")
struct AdapterAndFileTests {
  private let tiny: TinyStableDiffusion
  private let request = GenerationRequest(
    prompts: [Prompt("a <thing> apple")], seed: 3, steps: 2,
    guidance: ComponentChoice("cfg", options: ["scale": 3]))

  init() throws { tiny = try TinyStableDiffusion() }

  private func draw(_ change: (inout LoadingOptions) -> Void = { _ in }) throws -> Tensor {
    var options = LoadingOptions()
    change(&options)
    return try ImageGenerator(tiny.folder, options: options).generateTensor(request)
  }

  /// Writes tensors to a file that goes with `body`.
  private func withFile<R>(
    _ name: String, _ tensors: [String: Tensor], _ body: (String) throws -> R
  ) throws -> R {
    let path = tiny.folder + "/" + name
    try SafeTensors.write(tensors, to: path)
    defer { unlink(path) }
    return try body(path)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  private var lora: [String: Tensor] {
    let module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q."
    let text = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj."
    return [
      module + "lora_A.weight": randomTensor([2, 8], seed: 1),
      module + "lora_B.weight": randomTensor([8, 2], seed: 2),
      text + "lora_A.weight": randomTensor([2, 8], seed: 3),
      text + "lora_B.weight": randomTensor([8, 2], seed: 4),
    ]
  }

  @Test("an adapter counts by its strength, several add up, merged ones give the same")
  func adapters() throws {
    let base = try draw()
    try withFile("style.safetensors", lora) { path in
      func adapted(_ strengths: [Double], merged: Bool = false) throws -> Tensor {
        try draw {
          $0.adapters = strengths.map { AdapterChoice(path, strength: $0) }
          $0.mergesAdapters = merged
        }
      }
      #expect(try adapted([0]).scalars == base.scalars)
      let one = try adapted([1])
      #expect(relativeRMSError(one, base) > 1e-4)
      #expect(relativeRMSError(try adapted([0.5, 0.5]), one) < 1e-5)
      #expect(relativeRMSError(try adapted([1, -1]), base) < 1e-5)
      #expect(relativeRMSError(try adapted([1], merged: true), one) < 1e-5)
      var options = LoadingOptions(isStreamed: true)
      options.adapters = [AdapterChoice(path)]
      let streamed = try ImageGenerator(tiny.folder, options: options).generateTensor(request)
      #expect(relativeRMSError(streamed, one) < 1e-5)
      options.isStreamed = false
      let generator = try ImageGenerator(tiny.folder, options: options)
      let text = generator.recipe(of: request, picture: 0, tool: "ito 1").parameterText
      #expect(PictureRecipe(parameters: text)?.adapters == [.init(name: "style", strength: 1)])
    }
  }

  @Test("an adapter of another model is refused")
  func foreignAdapter() throws {
    let wrong = [
      "unet.nowhere.lora_A.weight": Tensor(zeros: [2, 8]),
      "unet.nowhere.lora_B.weight": Tensor(zeros: [8, 2]),
    ]
    try withFile("wrong.safetensors", wrong) { path in
      #expect(
        message { _ = try draw { $0.adapters = [AdapterChoice(path)] } }.contains("nowhere"))
    }
    try withFile("none.safetensors", ["x": Tensor(zeros: [1])]) { path in
      #expect(!message { _ = try draw { $0.adapters = [AdapterChoice(path)] } }.isEmpty)
    }
  }

  @Test("a learned word becomes tokens of its own")
  func learnedWords() throws {
    let base = try draw()
    let vectors = randomTensor([2, 8], seed: 7, scale: 2)
    try withFile("word.safetensors", ["<thing>": vectors]) { path in
      let taught = try draw { $0.embeddings = [path] }
      #expect(relativeRMSError(taught, base) > 1e-4)
    }
    // What the tokens are.
    var initial = ParameterInitializer(seed: 1)
    var part = CLIPPrompts.Part(
      tokenizer: try CLIPTokenizer(folder: tiny.folder + "/tokenizer"),
      encoder: try CLIPTextEncoder(
        configuration: try #require(try readJSON(tiny.folder + "/text_encoder/config.json")),
        &initial)
    )
    let before = part.tokens(in: "a <thing> b")
    try withFile("word.safetensors", ["<thing>": vectors]) { path in
      try part.learn(try TextualInversion(path: path), as: "text_encoder")
    }
    let after = part.tokens(in: "a <thing> b")
    #expect(after.count == 4 && after[1] == 514 && after[2] == 515 && before != after)
    #expect(after.first == before.first && after.last == before.last)
    #expect(part.encoder.tokenEmbeddings.shape == [516, 8])
    #expect(part.encoder.tokenEmbeddings.sliced(514..<516, axis: 0).scalars == vectors.scalars)
    try withFile("wide.safetensors", ["<wide>": randomTensor([1, 9], seed: 8)]) { path in
      #expect(message { _ = try draw { $0.embeddings = [path] } }.contains("another kind"))
    }
  }

  @Test("one file in the original naming draws what the folder draws")
  func singleFile() throws {
    let base = try draw()
    let file = tiny.folder + "/unet/whole.safetensors"
    var conversion = ModelConversion(from: tiny.folder, to: file)
    conversion.family = .stableDiffusion1
    _ = try conversion.run()
    defer { unlink(file) }
    var options = LoadingOptions()
    options.configurations = tiny.folder
    let generator = try ImageGenerator(file, options: options)
    #expect(generator.takesText && generator.name == "whole.safetensors")
    #expect(try generator.generateTensor(request).scalars == base.scalars)
    // A part of it alone, in place of the folder's own.
    #expect(try draw { $0.replacements = ["unet": file] }.scalars == base.scalars)
    #expect(try draw { $0.replacements = ["vae": file] }.scalars == base.scalars)
    options.configurations = nil
    #expect(message { _ = try ImageGenerator(file, options: options) }.contains("tokenizer"))
  }
}
