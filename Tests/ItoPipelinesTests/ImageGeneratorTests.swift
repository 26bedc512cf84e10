import ItoComponents
import ItoDiffusion
import ItoImages
import ItoTensors
import ItoTestSupport
import Synchronization
import Testing

@testable import ItoPipelines

/// The clean estimate is a constant picture: what was asked for, and the mean of a picture's channels.
private struct FlatDenoiser: Denoiser {
  var schedule: any NoiseSchedule { RectifiedFlow() }
  func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor {
    var clean = Tensor(zeros: x.shape)
    if let tokens = conditioning.tokens {
      clean = clean + tokens.mean(axes: [1, 2]).reshaped(to: [x.shape[0], 1, 1, 1])
    }
    if let image = conditioning.image {
      clean = clean + image.mean(axes: [1, 2, 3]).reshaped(to: [x.shape[0], 1, 1, 1])
    }
    return clean
  }
}

/// A prompt has as many tokens as characters, each of the value of its number over 1000.
private struct CharacterPrompts: PromptEncoder {
  func encode(
    _ prompt: Prompt, for picture: PictureFacts
  ) throws(PipelineError) -> PromptConditioning {
    if prompt.text == "bad" { throw .request("no such word") }
    func tokens(_ text: String) -> Conditioning {
      let values = text.unicodeScalars.map { Float($0.value) / 1000 }
      return Conditioning(tokens: Tensor(values, shape: [1, max(1, values.count), 1]))
    }
    return PromptConditioning(
      positive: tokens(prompt.text),
      negative: tokens(String(repeating: " ", count: prompt.text.count)))
  }
}

/// Counts how often a part is read.
private final class Counter: Sendable {
  private let value = Atomic<Int>(0)
  var count: Int { value.load(ordering: .relaxed) }
  func add() { value.add(1, ordering: .relaxed) }
}

private func generator(counter: Counter? = nil) -> ImageGenerator {
  var generator = ImageGenerator(
    name: "flat", prompts: Stage(CharacterPrompts()), denoiser: Stage(FlatDenoiser()),
    codec: Stage(PixelCodec()), layout: LatentLayout(factor: 1, channels: 3, multiple: 4),
    sampler: SamplerConfiguration(
      schedule: RectifiedFlow(), parameterization: FlowPrediction(), spacing: UniformSpacing(),
      solver: EulerSolver()),
    defaults: GenerationDefaults(
      height: 8, width: 8, steps: 4, solver: "euler", guidance: ComponentChoice("none"),
      batchSize: 8))
  if let counter {
    generator.denoiser = Stage(streamed: { () throws(PipelineError) in
      counter.add()
      return FlatDenoiser()
    })
  }
  return generator
}

private func picture(_ grey: UInt8, side: Int = 8) -> PixelImage {
  PixelImage(width: side, height: side, color: PixelColor(grey: grey))
}

@Suite("Drawing by stages")
struct ImageGeneratorTests {
  @Test("prompts of different lengths are drawn together, each as alone")
  func lengths() throws {
    let prompts = ["ab", "cd", "longer", "x"].map { Prompt($0) }
    let all = try generator().generateTensor(GenerationRequest(prompts: prompts, seed: 3))
    #expect(all.shape == [4, 8, 8, 3])
    for (k, prompt) in prompts.enumerated() {
      let alone = try generator().generateTensor(
        GenerationRequest(prompts: [prompt], seed: 3 + UInt64(k)))
      #expect(mismatch(alone, all.sliced(k..<k + 1, axis: 0).scalars, absolute: 1e-6) == nil)
    }
  }

  @Test("a streamed part is read for every run, a resident one never again")
  func streaming() throws {
    let counter = Counter()
    let streamed = generator(counter: counter)
    let request = GenerationRequest(prompts: [Prompt("ab")])
    let first = try streamed.generateTensor(request)
    #expect(try streamed.generateTensor(request).scalars == first.scalars)
    #expect(counter.count == 2)
    #expect(try generator().generateTensor(request).scalars == first.scalars)
  }

  @Test("a picture to start from: more strength, less of it")
  func imageToImage() throws {
    func mean(_ strength: Double) throws -> Float {
      var request = GenerationRequest(
        prompts: [Prompt("a")], seed: 1,
        start: StartingPoint(picture: picture(255), strength: strength),
        steps: 10)
      request.solver = ComponentChoice("ddim", options: ["eta": 0])
      return try generator().generateTensor(request).mean().item
    }
    // The denoiser is certain, so any run ends at its constant.
    #expect(abs(try mean(0.5) - 0.097) < 1e-4)
    let request = GenerationRequest(
      prompts: [Prompt("a")], start: StartingPoint(picture: picture(255, side: 21), strength: 0.5))
    #expect(generator().size(for: request) == PixelSize(height: 20, width: 20))
    #expect(try generator().plan(for: request).plan.stepCount == 2)
    var weak = request
    weak.start?.strength = 0.1
    #expect(throws: PipelineError.self) { try generator().generate(weak) }
  }

  @Test("repainting leaves what the mask leaves, and redraws the rest")
  func repainting() throws {
    let mask = PixelImage(
      width: 8, height: 8, channels: 1,
      pixels: (0..<64).map { $0 % 8 < 4 ? 255 : 0 })
    let original = PixelImage(
      width: 8, height: 8, channels: 3, pixels: (0..<192).map { UInt8($0) })
    var request = GenerationRequest(
      prompts: [Prompt("a")], start: StartingPoint(picture: original, mask: mask))
    let result = try generator().generate(request)[0]
    for y in 0..<8 {
      for x in 4..<8 { for c in 0..<3 { #expect(result[x, y, c] == original[x, y, c]) } }
      for x in 0..<4 { #expect(abs(Int(result[x, y]) - 140) <= 1) }
    }
    // The codec here loses nothing, so the latents agree as well.
    request.start?.keepsUnmasked = false
    let plain = try generator().generate(request)[0]
    #expect(zip(plain.pixels, result.pixels).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
  }

  @Test("a network with channels for mask and picture is given them, and needs them")
  func maskedPicture() throws {
    var generator = generator()
    generator.takesMaskedPicture = true
    #expect(throws: PipelineError.self) {
      try generator.generate(GenerationRequest(prompts: [Prompt("a")]))
    }
    let white = picture(255)
    let run = try generator.prepare(
      GenerationRequest(
        prompts: [Prompt("a"), Prompt("b")],
        start: StartingPoint(picture: white, mask: PixelImage(width: 8, height: 8, color: .white))))
    let image = try #require(run.first?.request.positive.image)
    #expect(image.shape == [2, 8, 8, 4])
    // The mask is all there is: the picture is hidden.
    #expect(image.sliced(0..<1, axis: 3).mean().item == 1)
    #expect(image.sliced(1..<4, axis: 3).mean().item == 0)
  }

  @Test("a base and a refiner continue each other exactly")
  func refiner() throws {
    var whole = GenerationRequest(prompts: [Prompt("ab"), Prompt("c")], seed: 9, steps: 10)
    let expected = try generator().generateLatents(whole)
    whole.part = 0...0.6
    let half = try generator().generateLatents(whole)
    whole.part = 0.6...1
    whole.start = StartingPoint(latents: half)
    let result = try generator().generateLatents(whole)
    #expect(mismatch(result, expected.scalars, absolute: 1e-6) == nil)
    whole.start = StartingPoint(latents: half.sliced(0..<1, axis: 0))
    #expect(throws: PipelineError.self) { try generator().generateLatents(whole) }
    var steps: [Int] = []
    let request = GenerationRequest(prompts: [Prompt("ab"), Prompt("c")], seed: 9, steps: 10)
    let both = try generator().generate(
      request, refiner: generator(), from: 0.6,
      onStep: {
        steps.append($0.done)
        #expect($0.total == 20)
      })
    // Two batches, since the prompts differ in length.
    #expect(steps == Array(1...20))
    #expect(both == (try generator().generate(request)))
    #expect(throws: PipelineError.self) {
      try generator().generate(request, refiner: generator(), from: 1)
    }
  }

  @Test("events tell every step, previews at their interval, and the pictures at the end")
  func events() async throws {
    var generator = generator()
    generator.preview = LinearPreview.stableDiffusion
    var steps: [Int] = []
    var previews = 0
    var images: [PixelImage] = []
    let request = GenerationRequest(prompts: [Prompt("a")])
    for try await event in generator.events(request, previewInterval: 2) {
      switch event {
      case .progress(let progress): steps.append(progress.done)
      case .preview(let pictures, _): previews += pictures.count
      case .finished(let pictures): images = pictures
      }
    }
    #expect(steps == [1, 2, 3, 4] && previews == 2)
    #expect(images == (try generator.generate(request)))
    let again = try await generator.generate(request, previewInterval: nil)
    #expect(again == images)
  }

  @Test("errors reach the stream, and a cancelled task ends its run")
  func streamErrors() async throws {
    await #expect(throws: PipelineError.self) {
      _ = try await generator().generate(
        GenerationRequest(prompts: [Prompt("bad")]), previewInterval: nil)
    }
    let task = Task {
      try await generator().generate(
        GenerationRequest(prompts: [Prompt("a")], steps: 900), previewInterval: nil)
    }
    task.cancel()
    await #expect(throws: (any Error).self) { try await task.value }
  }

  @Test("recipes say how to make the picture again")
  func recipes() throws {
    let generator = generator()
    var request = GenerationRequest(
      prompts: [
        Prompt("a (red) apple, \"x\"", negative: "blur", grammar: ComponentChoice("a1111"))
      ],
      seed: 41, steps: 7, solver: ComponentChoice("ddim", options: ["eta": 0.5]),
      spacing: ComponentChoice("karras"))
    for guidance in ["cfg:scale=4.5", "none", "cfg-interval:scale=3,start=0.2"] {
      request.guidance = try ComponentChoice(parsing: guidance)
      let text = generator.recipe(of: request, picture: 0, tool: "ito 1").parameterText
      let recipe = try #require(PictureRecipe(parameters: text))
      let (again, differences) = try generator.request(reproducing: recipe)
      #expect(differences.isEmpty)
      #expect(again.prompts == request.prompts && again.seed == 41 && again.steps == 7)
      #expect(again.solver == request.solver && again.spacing == request.spacing)
      #expect(again.guidance == request.guidance && again.engine == .torch)
      #expect(try generator.generate(again) == generator.generate(request))
    }
    let foreign = try #require(
      PictureRecipe(
        parameters:
          "cat <lora:x:0.5>\nSteps: 3, Sampler: Nonesuch, Seed: 1, Model: other, Hires steps: 4"
      ))
    let told = try generator.request(reproducing: foreign).differences.joined(separator: "\n")
    for word in ["Nonesuch", "other", "adapter x", "Hires steps"] { #expect(told.contains(word)) }
  }

  @Test("sizes that the model cannot draw are refused with ones it can")
  func sizes() {
    #expect(throws: PipelineError.self) {
      try generator().generate(GenerationRequest(prompts: [Prompt("a")], height: 10))
    }
    do {
      _ = try LatentLayout(factor: 8, channels: 4).shape(height: 510, width: 3, count: 1)
    } catch {
      #expect("\(error)".contains("8x512"))
    }
  }
}
