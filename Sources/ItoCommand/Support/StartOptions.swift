import ArgumentParser
import ItoImages
import ItoPipelines

/// A picture to start from.
struct StartOptions: ParsableArguments {
  @Option(
    name: [.customShort("i"), .customLong("init"), .customLong("init-img")],
    help: "A picture to start from.")
  var initial: String?

  @Option(help: "How much of it to change, 0 to 1 (default 0.8, or 1 with a mask).")
  var strength: Double?

  @Option(help: "A picture of the same size: what is white is redrawn, what is black stays.")
  var mask: String?

  mutating func validate() throws {
    if initial == nil && (mask != nil || strength != nil) {
      throw ValidationError("--mask and --strength need a picture to start from: --init.")
    }
    if let strength, !(strength > 0 && strength <= 1) {
      throw ValidationError("--strength \(strength): give more than 0 and at most 1.")
    }
  }

  /// The picture, read.
  func read() throws -> StartingPoint? {
    guard let initial else { return nil }
    return StartingPoint(
      picture: try PixelImage.read(initial), strength: strength,
      mask: try mask.map { try PixelImage.read($0) })
  }
}
