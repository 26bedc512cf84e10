extension BackboneFamily {
  /// Every network Itô has.
  public static let builtin: [BackboneFamily] = [
    .register(DiT.self),
    .register(UNet.self),
    .register(UNet2DCondition.self),
    .register(ConvTransformer.self),
  ]
}

extension SingleFileFamily {
  /// Every family whose models are read from single files.
  public static let builtin: [SingleFileFamily] = [
    .stableDiffusion1,
    .stableDiffusion2,
    .stableDiffusionXL,
    .stableDiffusionXLRefiner,
  ]
}
