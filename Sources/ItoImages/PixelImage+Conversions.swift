extension PixelImage {
  /// The picture in one channel: BT.601 luma of the colours, alpha composited over `background`.
  public func grey(over background: PixelColor = .white) -> PixelImage {
    if channels == 1 { return self }
    let flat = rgb(over: background)
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height) { out, count in
      flat.pixels.withUnsafeBufferPointer { source in
        for i in 0..<out.count {
          out[i] = PixelColor.luma(source[3 * i], source[3 * i + 1], source[3 * i + 2])
        }
      }
      count = out.count
    }
    return PixelImage(width: width, height: height, channels: 1, pixels: pixels)
  }

  /// The picture in three channels; grey is repeated, alpha composited over `background`.
  public func rgb(over background: PixelColor = .white) -> PixelImage {
    if channels == 3 { return self }
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { out, count in
      self.pixels.withUnsafeBufferPointer { source in
        if channels == 1 {
          for i in 0..<width * height {
            out[3 * i] = source[i]
            out[3 * i + 1] = source[i]
            out[3 * i + 2] = source[i]
          }
        } else {
          for i in 0..<width * height {
            let alpha = Int(source[4 * i + 3])
            out[3 * i] = Self.blend(source[4 * i], over: background.red, alpha)
            out[3 * i + 1] = Self.blend(source[4 * i + 1], over: background.green, alpha)
            out[3 * i + 2] = Self.blend(source[4 * i + 2], over: background.blue, alpha)
          }
        }
      }
      count = out.count
    }
    return PixelImage(width: width, height: height, channels: 3, pixels: pixels)
  }

  /// The picture in four channels; what has no alpha becomes opaque.
  public func rgba() -> PixelImage {
    if channels == 4 { return self }
    let step = channels == 3 ? 1 : 0
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 4) { out, count in
      self.pixels.withUnsafeBufferPointer { source in
        for i in 0..<width * height {
          out[4 * i] = source[channels * i]
          out[4 * i + 1] = source[channels * i + step]
          out[4 * i + 2] = source[channels * i + 2 * step]
          out[4 * i + 3] = 255
        }
      }
      count = out.count
    }
    return PixelImage(width: width, height: height, channels: 4, pixels: pixels)
  }

  /// The picture with `count` channels, 1, 3 or 4.
  public func converted(toChannels count: Int, over background: PixelColor = .white) -> PixelImage {
    switch count {
    case 1: grey(over: background)
    case 3: rgb(over: background)
    default: rgba()
    }
  }

  /// `(color·alpha + background·(255 − alpha)) / 255`, rounded.
  @inline(__always)
  private static func blend(_ color: UInt8, over background: UInt8, _ alpha: Int) -> UInt8 {
    let sum = Int(color) * alpha + Int(background) * (255 - alpha)
    return UInt8(truncatingIfNeeded: (sum + 127) / 255)
  }
}
