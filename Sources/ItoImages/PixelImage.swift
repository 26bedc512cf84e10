import ItoTensors

/// An 8-bit picture: grey, RGB, or RGB with alpha that is not premultiplied.
///
/// Colours are as stored in the file (sRGB as a rule); profiles and gamma chunks are not applied.
public struct PixelImage: Sendable, Hashable {
  /// Columns, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// Bytes per pixel: 1 grey, 3 RGB, 4 RGBA.
  public let channels: Int
  /// `height * width * channels` bytes, interleaved, top row first, without gaps.
  public internal(set) var pixels: [UInt8]

  /// A picture of the given bytes, `height * width * channels` of them.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    require(width > 0 && height > 0, "a picture of \(width)×\(height) pixels has no content")
    require([1, 3, 4].contains(channels), "a picture has 1, 3 or 4 channels, not \(channels)")
    require(
      pixels.count == width * height * channels,
      "\(pixels.count) bytes do not fill \(width)×\(height) pixels of \(channels) channels")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// An RGB picture of one colour.
  public init(width: Int, height: Int, color: PixelColor) {
    var pixels = [UInt8](repeating: color.red, count: width * height * 3)
    for i in 0..<width * height {
      pixels[3 * i + 1] = color.green
      pixels[3 * i + 2] = color.blue
    }
    self.init(width: width, height: height, channels: 3, pixels: pixels)
  }

  /// One channel of the pixel in column `x`, row `y`.
  public subscript(x: Int, y: Int, channel: Int = 0) -> UInt8 {
    get { pixels[index(x, y, channel)] }
    set { pixels[index(x, y, channel)] = newValue }
  }

  private func index(_ x: Int, _ y: Int, _ channel: Int) -> Int {
    require(
      0..<width ~= x && 0..<height ~= y && 0..<channels ~= channel,
      "pixel (\(x), \(y)), channel \(channel) is outside \(self)")
    return (y * width + x) * channels + channel
  }

  /// Whether pixels have an alpha channel.
  public var hasAlpha: Bool { channels == 4 }
}

extension PixelImage: CustomStringConvertible {
  /// `640×480 RGB`
  public var description: String {
    "\(width)×\(height) \(channels == 1 ? "grey" : channels == 3 ? "RGB" : "RGBA")"
  }
}

/// An 8-bit RGB colour.
public struct PixelColor: Sendable, Hashable {
  /// Components, 0…255.
  public var red, green, blue: UInt8

  /// A colour of the given components, 0…255.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A neutral colour, 0 black to 255 white.
  public init(grey: UInt8) { self.init(red: grey, green: grey, blue: grey) }

  /// A colour written as `#rrggbb`; nil for anything else.
  public init?(hexadecimal text: String) {
    let digits = text.dropFirst()
    guard text.first == "#", digits.utf8.count == 6, digits.allSatisfy(\.isHexDigit),
      let word = UInt32(digits, radix: 16)
    else { return nil }
    self.init(
      red: UInt8(word >> 16), green: UInt8(word >> 8 & 255), blue: UInt8(word & 255))
  }

  /// White.
  public static let white = PixelColor(grey: 255)
  /// Black.
  public static let black = PixelColor(grey: 0)

  /// ITU-R BT.601 luma, rounded: 0.299 red + 0.587 green + 0.114 blue.
  @inline(__always)
  static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    let sum = Int(red) * 19_595 + Int(green) * 38_470 + Int(blue) * 7471
    return UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
  }
}
