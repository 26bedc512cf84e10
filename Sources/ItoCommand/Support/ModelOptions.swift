import ArgumentParser
import ItoPipelines
import ItoTensors

/// Which model draws, and how it is loaded.
struct ModelOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: """
      A model's folder or file, the name of a model that comes with Itô, or organisation/name of a model \
      on the hub.
      """)
  var model = ModelLocator.defaultModel

  @OptionGroup var loading: LoadingFlags

  /// The model, to draw with once.
  func load() throws -> ImageGenerator { try loading.load(model, drawsOnce: true) }
}

/// How a model is loaded.
struct LoadingFlags: ParsableArguments {
  @Option(help: "Element type to compute in: float32 or bfloat16.")
  var precision: String?

  @Flag(
    help: """
      Less memory, more time: parts of the model and then its layers are read when their turn comes and \
      released after it, and large pictures are decoded in bands.
      """)
  var lowMemory = false

  @OptionGroup var cache: PackedCacheOptions

  @Option(help: "Which of several published precisions of a folder to read, such as fp16.")
  var variant: String?

  @Option(
    help: "For a model in one file, a folder with its configurations, scheduler and tokenizers.")
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Put an adapter (LoRA, LoCon, LoHa, LoKr, DoRA) beside the weights; may be given several times.",
      valueName: "file[:strength]"))
  var lora: [String] = []

  @Flag(help: "Merge adapters into the weights: quicker steps, more memory.")
  var merge = false

  @Option(help: "A file of textual inversion; its word can then be used in prompts.")
  var embedding: [String] = []

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
  ///
  /// - Parameter drawsOnce: whether it is drawn with once, so that each part may go after its turn.
  func load(
    _ name: String, replacesParts: Bool = true, drawsOnce: Bool = false
  ) throws -> ImageGenerator {
    let parts = [
      "vae": vae, "unet": unet, "text_encoder": textEncoder, "text_encoder_2": secondTextEncoder,
    ]
    var options = LoadingOptions(
      precision: try parsedPrecision(), isStreamed: lowMemory, variant: variant,
      configurations: config, replacements: replacesParts ? parts.compactMapValues { $0 } : [:])
    options.adapters = replacesParts ? lora.map(Self.adapter) : []
    options.mergesAdapters = merge
    options.drawsOnce = drawsOnce
    options.packedCache = try cache.cache(unless: lowMemory)
    options.embeddings = replacesParts ? embedding : []
    options.tokenizer = ModelLocator.tokenizer
    options.report = { Terminal.note($0) }
    return try ImageGenerator(try ModelLocator.folder(name), options: options)
  }

  /// `style.safetensors:0.8` is a file and a strength.
  private static func adapter(_ text: String) -> AdapterChoice {
    guard let colon = text.lastIndex(of: ":"),
      let strength = Double(text[text.index(after: colon)...]), strength.isFinite
    else { return AdapterChoice(text) }
    return AdapterChoice(String(text[..<colon]), strength: strength)
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
