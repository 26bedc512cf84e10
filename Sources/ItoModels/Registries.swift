extension BackboneFamily {
  /// Every network Itô has.
  public static let builtin: [BackboneFamily] = [
    .register(DiT.self),
    .register(UNet.self),
    .register(UNet2DCondition.self),
    .register(ConvTransformer.self),
  ]
}
