public import ItoCheckpoints
import ItoComponents
public import ItoDiffusion
import ItoModels
public import ItoTensors

/// A model that draws: words to conditioning, conditioning to latents, latents to pictures.
///
/// A value of stages that know nothing of each other. One loaded model may be shared by any number of
/// concurrent tasks.
public struct ImageGenerator: Sendable {
  /// What people call it: the last part of the path it was loaded from.
  public var name: String
  /// Words to conditioning.
  public var prompts: Stage<any PromptEncoder>
  /// The model.
  public var denoiser: Stage<any Denoiser>
  /// Between pictures and latents.
  public var codec: Stage<any LatentCodec>
  /// The shape of its latents.
  public var layout: LatentLayout
  /// Its process, steps and method.
  public var sampler: SamplerConfiguration
  /// What it draws with when nothing else is asked for.
  public var defaults: GenerationDefaults
  /// The adapters that were applied when it was loaded.
  public var adapters: [PictureRecipe.Adapter] = []
  /// How a run can be watched; nil where latents are pictures.
  public var preview: (any LatentPreview)?
  /// Whether prompts are free text.
  public var takesText = false
  /// Whether its network takes a mask and the masked picture as further channels.
  public var takesMaskedPicture = false
  /// Whether its network takes the scale of guidance as an input, so that one pass is enough.
  public var takesGuidanceScale = false

  /// A generator of given parts.
  public init(
    name: String, prompts: Stage<any PromptEncoder>, denoiser: Stage<any Denoiser>,
    codec: Stage<any LatentCodec>, layout: LatentLayout, sampler: SamplerConfiguration,
    defaults: GenerationDefaults
  ) {
    self.name = name
    self.prompts = prompts
    self.denoiser = denoiser
    self.codec = codec
    self.layout = layout
    self.sampler = sampler
    self.defaults = defaults
  }

  /// The names of the classes it knows; empty for a model that takes free text.
  public var labels: [String] { defaults.labels }

  /// What a picture of `prompt` shows, in words: a class's full name, or the prompt itself.
  public func title(of prompt: Prompt) -> String {
    guard !labels.isEmpty, let number = try? LabelPrompts(labels: labels).number(of: prompt.text)
    else { return prompt.text }
    return labels[number]
  }

  /// Loads the model at `path`, whatever family it is of.
  ///
  /// - Throws: when a file is missing, damaged, holds numbers that are not finite, or does not match
  ///   the network, and when no family recognises it.
  public init(_ path: String, options: LoadingOptions = LoadingOptions()) throws(PipelineError) {
    self = try ModelFamily.load(path, options: options)
  }

  /// As `init(_:options:)` with everything as the folder says but the precision.
  ///
  /// - Parameter precision: element type to compute in; the family's own choice when nil.
  public init(folder: String, precision: DType? = nil) throws(PipelineError) {
    try self.init(folder, options: LoadingOptions(precision: precision))
  }
}

/// How a model is loaded.
public struct LoadingOptions: Sendable {
  /// Element type to compute in; the family's own choice when nil.
  public var precision: DType?
  /// Whether each part is read when its turn comes and released after it.
  public var isStreamed: Bool
  /// Whether text encoders are read when prompts are encoded and released after it, and the network when all latents
  /// are there, as fits a program that draws once.
  public var drawsOnce = false

  /// Which of several published precisions, such as `fp16`; the plain one when nil.
  public var variant: String?
  /// For a model in one file, a folder with configurations and tokenizers.
  public var configurations: String?
  /// Adapters put beside the weights, in this order.
  public var adapters: [AdapterChoice] = []
  /// Whether adapters become part of the weights: quicker steps for a copy of what they change.
  public var mergesAdapters = false
  /// Told what became of each adapter, in a line for people.
  public var report: @Sendable (String) -> Void = { _ in }
  /// Where packed weights are kept between runs; nil for in memory, in each run anew.
  public var packedCache: PackedCache?
  /// Parts taken from elsewhere, by name: `vae`, `unet`, `text_encoder`.
  public var replacements: [String: String]

  /// Files of textual inversion: words learned from pictures.
  public var embeddings: [String] = []
  /// The folder of CLIP's tokenizer, for a model in one file that has none beside it.
  public var tokenizer: String?

  /// The usual way unless asked otherwise.
  public init(
    precision: DType? = nil, isStreamed: Bool = false, variant: String? = nil,
    configurations: String? = nil, replacements: [String: String] = [:]
  ) {
    self.precision = precision
    self.isStreamed = isStreamed
    self.variant = variant
    self.configurations = configurations
    self.replacements = replacements
  }
}
