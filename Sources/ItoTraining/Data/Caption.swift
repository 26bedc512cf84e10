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
