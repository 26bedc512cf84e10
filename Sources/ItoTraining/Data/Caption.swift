public import ItoImages

/// One way to ask for a picture.
public struct Caption: Sendable, Hashable {
  /// The words.
  public var text: String
  /// The colour that shows through the picture's transparency when it is asked for so; nil for the
  /// data set's own.
  public var background: PixelColor?

  /// Words, and the background they speak of.
  public init(_ text: String, background: PixelColor? = nil) {
    self.text = text
    self.background = background
  }
}

extension PixelColor {
  /// A colour written as `#rrggbb`.
  init?(hexadecimal text: String) {
    let digits = text.dropFirst()
    guard text.first == "#", digits.utf8.count == 6, let word = UInt32(digits, radix: 16) else {
      return nil
    }
    self.init(
      red: UInt8(word >> 16), green: UInt8(word >> 8 & 255), blue: UInt8(word & 255))
  }
}
