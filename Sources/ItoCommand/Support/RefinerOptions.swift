import ArgumentParser
import ItoDiffusion
import ItoImages
import ItoPipelines

/// A second model that finishes what the first begins.
struct RefinerOptions: ParsableArguments {
  @Option(help: "The folder of a refiner (SDXL) that does the last steps.")
  var refiner: String?

  @Option(help: "Where the refiner takes over, as a share of the way (default 0.8).")
  var refinerStart: Double?

  mutating func validate() throws {
    if let refinerStart, !(refinerStart > 0 && refinerStart < 1) {
      throw ValidationError(
        "--refiner-start \(refinerStart): give more than 0 and less than 1.")
    }
    if refinerStart != nil && refiner == nil {
      throw ValidationError("--refiner-start needs a model to take over: --refiner.")
    }
  }

  /// The refiner, loaded like the model it follows but for replaced parts.
  func load(_ flags: LoadingFlags) throws -> ImageGenerator? {
    try refiner.map { try flags.load($0, replacesParts: false) }
  }

  /// Draws with `generator`, and with `refiner` from where it takes over.
  func draw(
    _ request: GenerationRequest, _ generator: ImageGenerator, _ refiner: ImageGenerator?,
    isCancelled: @escaping () -> Bool, onStep: (GenerationProgress) -> Void,
    onResult: (SamplingResult) -> Void
  ) throws -> [PixelImage] {
    guard let refiner else {
      return try generator.generate(
        request, isCancelled: isCancelled, onStep: onStep, onResult: onResult)
    }
    return try generator.generate(
      request, refiner: refiner, from: refinerStart ?? 0.8, isCancelled: isCancelled,
      onStep: onStep, onResult: onResult)
  }
}
