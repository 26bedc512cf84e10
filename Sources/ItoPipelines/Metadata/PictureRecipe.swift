public import ItoImages
public import ItoTensors

/// How a picture was made, as its file tells: what tools write down of prompt, seed and settings.
public struct PictureRecipe: Sendable, Hashable {
  /// An adapter and its strength.
  public struct Adapter: Sendable, Hashable {
    /// The file's name without ending.
    public var name: String
    /// 1 is as trained.
    public var strength: Double

    /// An adapter.
    public init(name: String, strength: Double) {
      self.name = name
      self.strength = strength
    }
  }

  /// The program that made it.
  public var tool: String
  /// What was asked for and against.
  public var prompt = "", negative = ""
  /// The `PromptGrammar` the texts are written in.
  public var grammar = "literal"
  /// The seed of this picture.
  public var seed: UInt64?
  /// Steps, method and how levels are chosen, by the tool's own names.
  public var steps: Int?, sampler: String?, schedule: String?
  /// Scale of classifier-free guidance.
  public var guidanceScale: Double?
  /// A guidance with options in Itô's own words, where it is not plain classifier-free guidance.
  public var guidance: String?
  /// Size in pixels.
  public var width: Int?, height: Int?
  /// The model's name, and the first ten digits of its file's SHA-256.
  public var model: String?, modelHash: String?
  /// Layers of the text encoder left out, as stable-diffusion-webui counts: 1 is none.
  public var clipSkip: Int?
  /// Share of the steps that was run on a given picture.
  public var strength: Double?
  /// Where random numbers came from.
  public var engine: NoiseSource.Engine?
  /// Adapters in the order they were applied.
  public var adapters: [Adapter] = []
  /// Everything else that was written down: settings without a counterpart here.
  public var others: [Setting] = []

  /// A setting by the tool's own name.
  public struct Setting: Sendable, Hashable {
    /// Its name.
    public var key: String
    /// Its value as text.
    public var value: String

    /// A setting.
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// A recipe of `tool` that says nothing yet.
  public init(tool: String) { self.tool = tool }

  /// What the metadata of a picture tells; nil when no tool is recognised.
  public init?(_ metadata: ImageMetadata) {
    for format in RecipeFormat.builtin {
      if let recipe = format.read(metadata) {
        self = recipe
        return
      }
    }
    return nil
  }
}

/// A tool's way of writing down how a picture was made. One file each, and one line in
/// `Registries.swift`.
struct RecipeFormat: Sendable {
  let name: String
  /// The recipe, nil when the metadata is not this tool's.
  let read: @Sendable (ImageMetadata) -> PictureRecipe?
}
