public import ItoComponents

extension Registry where Component == any LatentCodec {
  /// Every codec Itô has.
  public static let builtin = Registry([
    .init(PixelCodec.self) { $0 },
    .init(SpaceToDepthCodec.self) { $0 },
  ])
}
