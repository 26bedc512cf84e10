import ItoTensors

extension PixelImage {
  /// The part with its top left corner at column `x`, row `y`. It must lie inside the picture.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> PixelImage {
    require(
      x >= 0 && y >= 0 && width > 0 && height > 0 && x <= self.width - width
        && y <= self.height - height,
      "a crop of \(width)×\(height) at (\(x), \(y)) is not inside \(self)")
    var part: [UInt8] = []
    part.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      part += pixels[start..<start + width * channels]
    }
    return PixelImage(width: width, height: height, channels: channels, pixels: part)
  }

  /// The largest square around the centre; an odd remainder is cut from the right or the bottom.
  public func squareCropped() -> PixelImage {
    let side = min(width, height)
    if width == height { return self }
    return cropped(x: (width - side) / 2, y: (height - side) / 2, width: side, height: side)
  }

  /// The mirror image, left and right exchanged.
  public func flippedHorizontally() -> PixelImage {
    rearranged(width: width, height: height) { x, y in (width - 1 - x, y) }
  }

  /// The picture as its camera meant it: orientation 1…8 as in Exif, others leave it as it is.
  func oriented(_ orientation: Int) -> PixelImage {
    let right = width - 1
    let bottom = height - 1
    switch orientation {
    case 2: return flippedHorizontally()
    case 3: return rearranged(width: width, height: height) { x, y in (right - x, bottom - y) }
    case 4: return rearranged(width: width, height: height) { x, y in (x, bottom - y) }
    case 5: return rearranged(width: height, height: width) { x, y in (y, x) }
    case 6: return rearranged(width: height, height: width) { x, y in (y, bottom - x) }
    case 7: return rearranged(width: height, height: width) { x, y in (right - y, bottom - x) }
    case 8: return rearranged(width: height, height: width) { x, y in (right - y, x) }
    default: return self
    }
  }

  /// A picture whose pixel at (x, y) is this one's at `source(x, y)`.
  private func rearranged(
    width newWidth: Int, height newHeight: Int, _ source: (Int, Int) -> (x: Int, y: Int)
  ) -> PixelImage {
    let bytes = [UInt8](unsafeUninitializedCapacity: pixels.count) { out, count in
      pixels.withUnsafeBufferPointer { pixels in
        var at = 0
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let from = source(x, y)
            let start = (from.y * width + from.x) * channels
            for c in 0..<channels { out[at + c] = pixels[start + c] }
            at += channels
          }
        }
      }
      count = pixels.count
    }
    return PixelImage(width: newWidth, height: newHeight, channels: channels, pixels: bytes)
  }
}
