public import ItoComponents

// What this target offers. To add a component: its own file, and one line here.
extension TextEncoderFamily {
  /// Every text encoder Itô has.
  public static let builtin: [TextEncoderFamily] = [
    SentenceEncoder.family
  ]
}

extension Registry where Component == any LatentCodec {
  /// Every codec Itô has.
  public static let builtin = Registry([
    .init(PixelCodec.self) { $0 },
    .init(SpaceToDepthCodec.self) { $0 },
    .init(AveragingCodec.self) { $0 },
    .init(FolderCodec.self) { $0 },
  ])
}

extension Registry where Component == any PromptGrammar {
  /// The ways to write prompts.
  public static let builtin = Registry([
    .init(LiteralPrompts.self) { $0 },
    .init(WeightedPrompts.self) { $0 },
    .init(InterpolatedPrompts.self) { $0 },
  ])
}

extension ModelFamily {
  /// Every kind of model that draws; the first that recognises a folder loads it.
  public static let builtin: [ModelFamily] = [
    .itoModel,
    .stableDiffusion,
    .stableDiffusionXL,
    .diffusionTransformer,
  ]
}

extension RecipeFormat {
  /// The tools whose notes on a picture are understood; the first that recognises its own reads them.
  static let builtin: [RecipeFormat] = [
    .invokeAI,
    .comfyUI,
    .parameters,
  ]
}

extension Registry where Component == any PictureMetric {
  /// Every figure that `ito eval` can give.
  public static let builtin = Registry([
    .init(PeakSignalToNoise.self) { $0 },
    .init(StructuralSimilarity.self) { $0 },
    .init(PerceptualMetric.self) { $0 },
    .init(FrechetMetric.self) { $0 },
    .init(KernelMetric.self) { $0 },
    .init(NearestPicture.self) { $0 },
    .init(CaptionRetrieval.self) { $0 },
    .init(CaptionScore.self) { $0 },
  ])
}
