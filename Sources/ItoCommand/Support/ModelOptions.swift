import ArgumentParser
import ItoPipelines
import ItoTensors

/// Which model draws, and how it is loaded.
struct ModelOptions: ParsableArguments {
  @Option(
    name: [.short, .long], help: "A model folder, or the name of a model that comes with Itô.")
  var model = ModelLocator.defaultModel

  @OptionGroup var loading: LoadingFlags

  /// The model.
  func load() throws -> ImageGenerator { try loading.load(model) }
}

/// How a model is loaded.
struct LoadingFlags: ParsableArguments {
  @Option(help: "Element type to compute in: float32 or bfloat16.")
  var precision: String?

  @Flag(help: "Read each part of the model when its turn comes and release it after: less memory.")
  var lowMemory = false

  @Option(help: "Which of several published precisions of a folder to read, such as fp16.")
  var variant: String?

  @Option(help: "Take the autoencoder from another folder or file.")
  var vae: String?

  @Option(help: "Take the denoising network from another folder or file.")
  var unet: String?

  @Option(help: "Take the text encoder from another folder or file.")
  var textEncoder: String?

  @Option(
    name: [.customLong("text-encoder-2")],
    help: "Take the second text encoder from another folder or file.")
  var secondTextEncoder: String?

  /// The model called `name`, with the parts that were named in place of its own.
  func load(_ name: String, replacesParts: Bool = true) throws -> ImageGenerator {
    let parts = [
      "vae": vae, "unet": unet, "text_encoder": textEncoder, "text_encoder_2": secondTextEncoder,
    ]
    return try ImageGenerator(
      try ModelLocator.folder(name),
      options: LoadingOptions(
        precision: try parsedPrecision(), isStreamed: lowMemory, variant: variant,
        replacements: replacesParts ? parts.compactMapValues { $0 } : [:]))
  }

  private func parsedPrecision() throws -> DType? {
    guard let precision else { return nil }
    let names = ["f32": "float32", "bf16": "bfloat16"]
    guard let type = DType(name: names[precision] ?? precision),
      type == .float32 || type == .bfloat16
    else { throw CommandFailure("--precision \(precision): choose float32 or bfloat16.") }
    return type
  }
}
