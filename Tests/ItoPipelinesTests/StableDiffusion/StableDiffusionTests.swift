import ItoComponents
import ItoDiffusion
import ItoImages
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite("Stable Diffusion folders")
struct StableDiffusionTests {
  /// A generator of a folder that may go: weights that stay mapped keep their pages.
  private func generator(
    isXL: Bool = false, _ options: LoadingOptions = LoadingOptions()
  ) throws -> ImageGenerator {
    let tiny = try TinyStableDiffusion(isXL: isXL)
    return try withExtendedLifetime(tiny) { try ImageGenerator(tiny.folder, options: options) }
  }

  private func request(
    _ prompt: Prompt = Prompt("a red apple"), seed: UInt64 = 1
  ) -> GenerationRequest {
    GenerationRequest(
      prompts: [prompt], seed: seed, steps: 2,
      guidance: ComponentChoice("cfg", options: ["scale": 3]))
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("the folder says what is drawn with", arguments: [false, true])
  func defaults(isXL: Bool) throws {
    let generator = try generator(isXL: isXL)
    #expect(generator.layout == LatentLayout(factor: 2, channels: 4))
    #expect(generator.defaults.width == 16 && generator.defaults.height == 16)
    #expect(generator.defaults.steps == 50 && generator.defaults.solver == "DDIM")
    #expect(generator.defaults.guidance.options["scale"] == .double(isXL ? 5 : 7.5))
    #expect(generator.takesText && !generator.takesMaskedPicture && !generator.takesGuidanceScale)
  }

  @Test(
    "prompt, negative prompt, seed, size and guidance reach the picture", arguments: [false, true])
  func options(isXL: Bool) throws {
    let generator = try generator(isXL: isXL)
    func draw(_ change: (inout GenerationRequest) -> Void) throws -> [Float] {
      var request = request()
      change(&request)
      return try generator.generateTensor(request).scalars
    }
    let base = try draw { _ in }
    #expect(try draw { _ in } == base)
    #expect(try draw { $0.prompts[0].text = "a blue car" } != base)
    #expect(try draw { $0.prompts[0].negative = "blurry" } != base)
    #expect(try draw { $0.seed = 2 } != base)
    let unguided = try draw { $0.guidance = ComponentChoice("none") }
    #expect(unguided != base)
    // Without guidance nobody asks what the prompt is against, however long that is.
    let against = try draw {
      $0.guidance = ComponentChoice("none")
      $0.prompts[0].negative = String(repeating: "word ", count: 90)
    }
    #expect(against == unguided)
    #expect(try draw { $0.prompts[0].clipSkip = 1 } != base)
    #expect(try draw { $0.width = 24 }.count == base.count / 16 * 24)
    // Brackets are words to the literal grammar and weights to the other.
    let weighted = try draw { $0.prompts[0] = Prompt("a (red:1.5) apple", grammar: .init("a1111")) }
    #expect(weighted != base)
    #expect(try draw { $0.prompts[0] = Prompt("a red apple", grammar: .init("a1111")) } == base)
    if isXL {
      var facts = PictureFacts(height: 16, width: 16)
      facts.cropTop = 4
      #expect(try draw { $0.facts = facts } != base)
      // Nothing in particular is not the empty text.
      #expect(try draw { $0.prompts[0].negative = "" } != base)
    } else {
      #expect(try draw { $0.prompts[0].negative = "" } == base)
    }
  }

  @Test("a long prompt is encoded whole, or cut")
  func longPrompts() throws {
    let generator = try generator()
    let text = String(repeating: "word ", count: 40)
    func draw(_ prompt: Prompt) throws -> [Float] {
      try generator.generateTensor(request(prompt)).scalars
    }
    let cut = try draw(Prompt(text + "end", overflow: .truncated))
    #expect(try draw(Prompt(text + "and more", overflow: .truncated)) == cut)
    #expect(try draw(Prompt(text + "end")) != draw(Prompt(text + "and more")))
  }

  @Test("several pictures are those of their seeds, whatever their prompts")
  func batches() throws {
    let generator = try generator()
    var request = request()
    request.prompts = [
      Prompt("a"), Prompt("b", negative: "c"), Prompt(String(repeating: "long ", count: 30)),
    ]
    request.batchSize = 3
    let all = try generator.generateTensor(request)
    for k in 0..<3 {
      var single = request
      single.prompts = [request.prompts[k]]
      single.seed += UInt64(k)
      let alone = try generator.generateTensor(single)
      #expect(relativeRMSError(alone, all.sliced(k..<k + 1, axis: 0)) < 1e-5)
    }
  }

  @Test("two concurrent calls give the pictures each gives alone")
  func concurrent() async throws {
    let generator = try generator()
    let prompts = ["a red apple", "a blue car"]
    let alone = try prompts.map { try generator.generate(request(Prompt($0))) }
    let together = try await withThrowingTaskGroup(of: (Int, [PixelImage]).self) { group in
      for round in 0..<6 {
        group.addTask {
          let wanted = request(Prompt(prompts[round % 2]))
          return (round, try await generator.generate(wanted, previewInterval: nil))
        }
      }
      return try await group.reduce(into: [Int: [PixelImage]]()) { $0[$1.0] = $1.1 }
    }
    for round in 0..<6 { #expect(together[round] == alone[round % 2]) }
  }

  @Test("streamed parts draw the same picture", arguments: [false, true])
  func streamed(isXL: Bool) throws {
    let tiny = try TinyStableDiffusion(isXL: isXL)
    let resident = try ImageGenerator(tiny.folder)
    let streamed = try ImageGenerator(tiny.folder, options: LoadingOptions(isStreamed: true))
    #expect(streamed.denoiser.isStreamed && streamed.prompts.isStreamed)
    let a = try resident.generateTensor(request()), b = try streamed.generateTensor(request())
    #expect(relativeRMSError(b, a) < 1e-5)
    var options = LoadingOptions()
    options.drawsOnce = true
    let once = try ImageGenerator(tiny.folder, options: options)
    #expect(once.prompts.isStreamed && !once.denoiser.isStreamed)
    for _ in 0..<2 { #expect(try once.generateTensor(request()).scalars == a.scalars) }
  }

  @Test("from a picture, and part of one")
  func pictures() throws {
    let generator = try generator()
    let picture = PixelImage(
      width: 20, height: 16, channels: 3, pixels: (0..<960).map { UInt8($0 * 7 % 256) })
    var mask = PixelImage(
      width: 20, height: 16, channels: 1, pixels: [UInt8](repeating: 0, count: 320))
    for x in 0..<10 { for y in 0..<16 { mask[x, y] = 255 } }
    var request = request()
    request.steps = 4
    request.start = StartingPoint(picture: picture, strength: 0.5)
    let changed = try generator.generate(request)[0]
    #expect(changed.width == 20 && changed.height == 16 && changed != picture)
    request.start = StartingPoint(picture: picture, mask: mask)
    let repainted = try generator.generate(request)[0]
    for y in 0..<16 {
      for x in 10..<20 { for c in 0..<3 { #expect(repainted[x, y, c] == picture[x, y, c]) } }
    }
    #expect(repainted != picture)
  }

  @Test("a network of nine channels repaints, and draws nothing without a mask")
  func inpainting() throws {
    let tiny = try TinyStableDiffusion(inputChannels: 9)
    let generator = try ImageGenerator(tiny.folder)
    #expect(generator.takesMaskedPicture)
    #expect(message { _ = try generator.generate(self.request()) }.contains("mask"))
    let white = PixelImage(width: 16, height: 16, color: .white)
    var request = request()
    request.start = StartingPoint(picture: white, mask: white)
    #expect(try generator.generate(request)[0].width == 16)
  }

  @Test("a distilled network takes the scale of guidance as an input and needs one pass")
  func guidanceInput() throws {
    let tiny = try TinyStableDiffusion(guidanceFeatures: 8)
    let generator = try ImageGenerator(tiny.folder)
    #expect(generator.takesGuidanceScale && generator.defaults.steps == 4)
    #expect(try generator.plan(for: request()).guidance is NoGuidance)
    func draw(_ scale: Double) throws -> [Float] {
      var request = request()
      request.guidance = generator.guidance(scale: scale)
      return try generator.generateTensor(request).scalars
    }
    #expect(try draw(2) != draw(8))
  }

  @Test("parts are taken from elsewhere")
  func replacements() throws {
    let tiny = try TinyStableDiffusion(), other = try TinyStableDiffusion(inputChannels: 9)
    func load(_ parts: [String: String]) throws -> ImageGenerator {
      try ImageGenerator(tiny.folder, options: LoadingOptions(replacements: parts))
    }
    #expect(try load(["unet": other.folder]).takesMaskedPicture)
    #expect(try load(["unet": other.folder + "/unet"]).takesMaskedPicture)
    let weights = other.folder + "/vae/diffusion_pytorch_model.safetensors"
    #expect(
      try load(["vae": weights]).generateTensor(request()).scalars
        == ImageGenerator(tiny.folder).generateTensor(request()).scalars)
    // The configuration here is for other weights than those.
    let wrong = message {
      _ = try load(["unet": other.folder + "/unet/diffusion_pytorch_model.safetensors"])
    }
    #expect(wrong.contains("conv_in.weight"))
    #expect(message { _ = try load(["vae": "/nowhere"]) }.contains("/nowhere"))
    #expect(message { _ = try load(["vae": tiny.folder + "/tokenizer"]) }.contains("config.json"))
  }

  @Test("turbo, LCM and models of many steps are told apart by their files")
  func fewSteps() {
    func few(_ scheduler: JSONValue, _ hasInput: Bool = false) -> Int? {
      FewSteps(scheduler: scheduler, hasGuidanceInput: hasInput)?.steps
    }
    #expect(few(TinyStableDiffusion.scheduler) == nil)
    #expect(few(["_class_name": "LCMScheduler"]) == 4)
    #expect(few(TinyStableDiffusion.scheduler, true) == 4)
    let turbo: JSONValue = [
      "_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing",
    ]
    #expect(few(turbo) == 1)
    #expect(
      few([
        "_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing",
        "prediction_type": "v_prediction",
      ]) == nil)
    #expect(few(["_class_name": "EulerDiscreteScheduler"]) == nil)
  }

  @Test("what is wrong with a folder is said, with the file or the name")
  func badFolders() throws {
    func loading(_ spoil: (TinyStableDiffusion) throws -> Void) throws -> String {
      let tiny = try TinyStableDiffusion()
      try spoil(tiny)
      return withExtendedLifetime(tiny) { message { _ = try ImageGenerator(tiny.folder) } }
    }
    #expect(
      try loading { try $0.write("model_index.json", ["_class_name": "Other"]) }.contains("Other"))
    #expect(try loading { unlink($0.folder + "/unet/config.json") }.contains("unet/config.json"))
    #expect(
      try loading { unlink($0.folder + "/vae/diffusion_pytorch_model.safetensors") }.contains("vae")
    )
    #expect(try loading { unlink($0.folder + "/tokenizer/vocab.json") }.contains("vocab.json"))
    #expect(
      try loading {
        try $0.write("scheduler/scheduler_config.json", ["_class_name": "Nonesuch"])
      }.contains("Nonesuch"))
    #expect(
      try loading {
        let file = $0.folder + "/unet/diffusion_pytorch_model.safetensors"
        try AtomicFile.write(file, bytes: Array(try readFile(file).dropLast(100)))
      }.contains("damaged"))
    #expect(
      try loading {
        try $0.write(
          "model_index.json",
          [
            "_class_name": "StableDiffusionPipeline",
            "unet": ["diffusers", "UNet2DConditionModel"],
          ])
      }.contains("vae"))
    let generator = try generator()
    var long = request()
    long.prompts[0].clipSkip = 9
    #expect(message { _ = try generator.generate(long) }.contains("layers"))
    long = request()
    long.height = 17
    #expect(message { _ = try generator.generate(long) }.contains("multiple of 2"))
    #expect(
      message { _ = try generator.generate(request(Prompt("a", grammar: .init("x")))) }.contains(
        "a1111"))
  }
}
