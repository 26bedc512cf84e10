public import ItoComponents
public import ItoDiffusion

/// What is asked for in words, for one picture.
public struct Prompt: Sendable, Hashable {
  /// What to draw.
  public var text: String
  /// What to draw less of; nil pushes away from nothing in particular.
  public var negative: String?
  /// How the texts are written: the name of a `PromptGrammar`.
  public var grammar: ComponentChoice
  /// What becomes of the rest of a text that is longer than the encoder reads at once.
  public var overflow: PromptOverflow
  /// Layers of the text encoder to leave out at its end, counted as diffusers does; nil takes what
  /// the model was trained with.
  public var clipSkip: Int?

  /// A prompt.
  public init(
    _ text: String, negative: String? = nil, grammar: ComponentChoice = ComponentChoice("literal"),
    overflow: PromptOverflow = .chunks, clipSkip: Int? = nil
  ) {
    self.text = text
    self.negative = negative
    self.grammar = grammar
    self.overflow = overflow
    self.clipSkip = clipSkip
  }
}

/// The picture that a prompt is for, as far as networks are told of it.
public struct PictureFacts: Sendable, Hashable {
  /// Size in pixels.
  public var height: Int, width: Int
  /// Size the picture is to look as if it was scaled from; its own when nil.
  public var originalSize: PixelSize?
  /// Where it is to look cut from its original: rows above and columns to the left.
  public var cropTop: Int, cropLeft: Int
  /// Size it is to look cut to; its own when nil.
  public var targetSize: PixelSize?
  /// The same for what is asked against, where it differs.
  public var negativeOriginalSize: PixelSize?, negativeTargetSize: PixelSize?
  /// How beautiful it is to be, for networks that were told (SDXL's refiner).
  public var aestheticScore: Double, negativeAestheticScore: Double
  /// The scale of guidance, for networks that were distilled to take it as an input (LCM).
  public var guidanceScale: Double
  /// Whether guidance looks at what the prompt is against; when not, that need not be encoded.
  public var isGuided: Bool

  /// A picture of the given size that is whole and unscaled.
  public init(
    height: Int, width: Int, originalSize: PixelSize? = nil, cropTop: Int = 0, cropLeft: Int = 0,
    targetSize: PixelSize? = nil, negativeOriginalSize: PixelSize? = nil,
    negativeTargetSize: PixelSize? = nil, aestheticScore: Double = 6,
    negativeAestheticScore: Double = 2.5, guidanceScale: Double = 1, isGuided: Bool = true
  ) {
    self.height = height
    self.width = width
    self.originalSize = originalSize
    self.cropTop = cropTop
    self.cropLeft = cropLeft
    self.targetSize = targetSize
    self.negativeOriginalSize = negativeOriginalSize
    self.negativeTargetSize = negativeTargetSize
    self.aestheticScore = aestheticScore
    self.negativeAestheticScore = negativeAestheticScore
    self.guidanceScale = guidanceScale
    self.isGuided = isGuided
  }
}

/// Rows and columns of a picture.
public struct PixelSize: Sendable, Hashable {
  /// In pixels.
  public var height: Int, width: Int
  /// A size.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}

/// What a network is told for one picture: a batch of one each, fitting together in one batch.
public struct PromptConditioning: Sendable {
  /// What is asked for.
  public var positive: Conditioning
  /// What guidance pushes away from; without guidance it may be anything of the same shapes.
  public var negative: Conditioning

  /// The two.
  public init(positive: Conditioning = Conditioning(), negative: Conditioning = Conditioning()) {
    self.positive = positive
    self.negative = negative
  }
}

/// Turns words into what a network is conditioned on.
public protocol PromptEncoder: Sendable {
  /// The conditioning of one picture.
  ///
  /// - Throws: `PipelineError.request` when the model cannot be asked for this.
  func encode(
    _ prompt: Prompt, for picture: PictureFacts
  ) throws(PipelineError) -> PromptConditioning
}
