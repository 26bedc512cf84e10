import ItoComponents
import Testing

@testable import ItoImages

/// The files of Tests/Fixtures/images and what they decode to.
enum Fixtures {
  static let folder =
    #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fixtures/images/"

  static func bytes(_ name: String) throws -> [UInt8] { try readFile(folder + name) }

  static func json(_ name: String) throws -> JSONValue {
    try JSONValue.parse(String(decoding: bytes(name), as: UTF8.self))
  }

  /// The pixels that another decoder finds in `name`.
  static func decoded(_ name: String) throws -> PixelImage {
    let entry = try #require(try json("decoded.json")[name])
    return PixelImage(
      width: try #require(entry["width"]?.int), height: try #require(entry["height"]?.int),
      channels: try #require(entry["channels"]?.int),
      pixels: hex(try #require(entry["pixels"]?.string)))
  }

  /// Every fixture with known pixels.
  static var decodable: [String] {
    get throws { try json("decoded.json").object?.keys ?? [] }
  }

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { $0 <= 57 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

/// The text that Automatic1111-style fixtures carry.
let fixtureParameters = "a café, 猫\nSteps: 20, Sampler: Euler a, Seed: 1"

/// A picture of full-range detail, the same as `noise` of the fixture script.
func noise(width: Int, height: Int, channels: Int) -> PixelImage {
  var state = 1
  let pixels = (0..<width * height * channels).map { _ in
    state = (state * 1_103_515_245 + 12_345) % (1 << 31)
    return UInt8(state >> 23)
  }
  return PixelImage(width: width, height: height, channels: channels, pixels: pixels)
}

/// A picture that lossy formats keep well.
func gradient(width: Int, height: Int, channels: Int) -> PixelImage {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      for c in 0..<channels {
        pixels.append(
          c == 3
            ? UInt8(60 + 180 * x / width)
            : UInt8(20 + (200 * x * (3 - c) + 200 * y * (c + 1)) / (4 * max(width, height))))
      }
    }
  }
  return PixelImage(width: width, height: height, channels: channels, pixels: pixels)
}

/// The largest difference of a channel; nil when shapes differ.
func largestDifference(_ a: PixelImage, _ b: PixelImage) -> Int? {
  guard a.width == b.width, a.height == b.height, a.channels == b.channels else { return nil }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
}
