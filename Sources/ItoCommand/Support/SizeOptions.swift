import ArgumentParser
import ItoPipelines

/// What SDXL is told of the size and crop that its picture should look like.
struct SizeOptions: ParsableArguments {
  @Option(help: "SDXL: the size the picture should look scaled from, as WIDTHxHEIGHT.")
  var originalSize: String?

  @Option(help: "SDXL: the size the picture should look cut to, as WIDTHxHEIGHT.")
  var targetSize: String?

  @Option(help: "SDXL: pixels that should look cut off above.")
  var cropTop: Int?

  @Option(help: "SDXL: pixels that should look cut off on the left.")
  var cropLeft: Int?

  /// Puts the options into a request whose size is known.
  func apply(to request: inout GenerationRequest, for generator: ImageGenerator) throws {
    guard originalSize != nil || targetSize != nil || cropTop != nil || cropLeft != nil else {
      return
    }
    let size = generator.size(for: request)
    request.facts = PictureFacts(
      height: size.height, width: size.width,
      originalSize: try originalSize.map { try Self.size($0, "--original-size") },
      cropTop: cropTop ?? 0, cropLeft: cropLeft ?? 0,
      targetSize: try targetSize.map { try Self.size($0, "--target-size") })
  }

  private static func size(_ text: String, _ option: String) throws -> PixelSize {
    let sides = text.lowercased().split(separator: "x").compactMap { Int($0) }
    guard sides.count == 2, sides.allSatisfy({ $0 > 0 }) else {
      throw CommandFailure("\(option) \(text): write it as WIDTHxHEIGHT, such as 1024x1024.")
    }
    return PixelSize(height: sides[1], width: sides[0])
  }
}
