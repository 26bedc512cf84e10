extension PixelImage {
  /// Draws one line of text with the built-in typeface (ASCII and a few signs; anything else is a
  /// box).
  ///
  /// - Parameters:
  ///   - x: Column of the left edge; text outside the picture is left out.
  ///   - y: Row of the top of capital letters.
  ///   - size: Pixels per unit; capitals are 7 units high. Whole numbers are sharpest.
  ///   - color: The ink; its luma in a grey picture.
  public mutating func draw(
    _ text: String, x: Int, y: Int, size: Double = 2, color: PixelColor = .black
  ) {
    StrokeFont(size: size).draw(text, on: &self, x: x, y: y, color: color)
  }

  /// The pixels that `draw` covers, without descenders.
  public static func textSize(_ text: String, size: Double = 2) -> (width: Int, height: Int) {
    let height = Int((StrokeFont.capitalHeight * size).rounded(.up))
    return (StrokeFont(size: size).width(of: text), height)
  }
}
