import ArgumentParser
import ItoComponents
import ItoDiffusion
import ItoPipelines
import ItoTensors

/// How pictures are sampled; the model's own settings where nothing is given.
struct SamplingOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "Seed of the first picture; picture k has seed + k.")
  var seed: UInt64 = 0

  @Option(help: "Steps.")
  var steps: Int?

  @Option(
    name: [.long, .customLong("sampler"), .customLong("sampling-method")],
    help: "Solver, such as euler, ddim:eta=0.5 or \"DPM++ 2M Karras\"; see ito samplers.")
  var solver: String?

  @Option(
    name: [.long, .customLong("schedule"), .customLong("scheduler")],
    help: "Spacing of the steps, such as karras; see ito samplers --spacings.")
  var spacing: String?

  @Option(
    help: """
      Guidance: none, cfg:scale=2, cfg-interval:scale=3,end=0.6, apg:scale=4, cfg++:scale=0.6, \
      autoguidance:scale=2,model=FOLDER, …: see `ito samplers`.
      """)
  var guidance: String?

  @Option(
    name: [.customLong("cfg-scale"), .customLong("guidance-scale")],
    help: "Scale of classifier-free guidance; short for --guidance cfg:scale=…")
  var scale: Double?

  @Option(help: "How much of the contrast that strong guidance adds is taken back, 0 to 1.")
  var guidanceRescale: Double?

  @Option(help: "Size, as WIDTHxHEIGHT.")
  var size: String?

  @Option(name: [.customShort("W"), .long], help: "Width in pixels.")
  var width: Int?

  @Option(name: [.customShort("H"), .long], help: "Height in pixels.")
  var height: Int?

  @Option(help: "Where random numbers come from: torch, torch-scalar, philox, cuda.")
  var noise = "torch"

  @Option(help: "Pictures computed together; the model's own choice when left out.")
  var batch: Int?

  @Option(
    help: """
      How the evaluations that guidance wants of a step are made: batched, all in one, or sequential, one after \
      the other in less memory. The pictures agree to rounding. (default: batched)
      """)
  var passes: String?

  mutating func validate() throws {
    if let batch, batch < 1 {
      throw ValidationError("--batch \(batch): at least 1 is needed.")
    }
    if guidance != nil && scale != nil {
      throw ValidationError(
        "--guidance and --cfg-scale say the same thing; give one of them.")
    }
    if let guidanceRescale, !(0...1).contains(guidanceRescale) || scale == nil {
      throw ValidationError(
        "--guidance-rescale takes a number from 0 to 1 and needs --cfg-scale.")
    }
    if size != nil && (width != nil || height != nil) {
      throw ValidationError("--size already says width and height; give one or the other.")
    }
  }

  /// Puts the options into a request for `generator`.
  func apply(to request: inout GenerationRequest, for generator: ImageGenerator) throws {
    request.seed = seed
    request.steps = steps
    request.batchSize = batch
    let sampler = try solver.map { try SamplerName(parsing: $0) }
    request.solver = sampler?.solver
    request.spacing = try spacing.map { try ComponentChoice(parsing: $0) } ?? sampler?.spacing
    request.guidance =
      try guidance.map(parsedGuidance)
      ?? scale.map { generator.guidance(scale: $0, rescale: guidanceRescale ?? 0) }
    let sides = try parsedSize()
    request.width = sides.width
    request.height = sides.height
    guard let engine = NoiseSource.Engine(rawValue: noise) else {
      let known = NoiseSource.Engine.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure("--noise \(noise): choose one of \(known).")
    }
    request.engine = engine
    request.passes = try passes.map { name in
      guard let passes = PassExecution(rawValue: name) else {
        let known = PassExecution.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandFailure("--passes \(name): choose one of \(known).")
      }
      return passes
    }
  }

  /// A second model is named as models are everywhere.
  private func parsedGuidance(_ text: String) throws -> ComponentChoice {
    var choice = try ComponentChoice(parsing: text)
    if case .string(let name)? = choice.options["model"] {
      choice.options["model"] = .string(try ModelLocator.folder(name))
    }
    return choice
  }

  private func parsedSize() throws -> (width: Int?, height: Int?) {
    guard let size else { return (width, height) }
    let parts = size.lowercased().split(separator: "x")
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]), width > 0,
      height > 0
    else { throw CommandFailure("--size \(size): write it as WIDTHxHEIGHT, such as 28x28.") }
    return (width, height)
  }
}
