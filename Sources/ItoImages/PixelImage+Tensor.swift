public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Which numbers the bytes 0…255 stand for.
public enum PixelRange: Sendable, Hashable {
  /// 0…1.
  case unit
  /// −1…1, what most diffusion models work in.
  case signed

  /// `value = byte·scale + offset`
  fileprivate var scaleAndOffset: (Float, Float) {
    switch self {
    case .unit: (255, 0)
    case .signed: (127.5, -1)
    }
  }
}

extension Tensor {
  /// Pictures as `[batch, height, width, channels]` float32.
  ///
  /// All pictures have the same size and channels, and there is at least one.
  public init(_ images: [PixelImage], range: PixelRange) {
    require(!images.isEmpty, "no pictures to make a tensor of")
    let first = images[0]
    for image in images {
      require(
        image.width == first.width && image.height == first.height
          && image.channels == first.channels,
        "a batch of pictures needs one size, not \(first) and \(image)")
    }
    let (divisor, offset) = range.scaleAndOffset
    let table = (0..<256).map { Float($0) / divisor + offset }
    let shape: Shape = [images.count, first.height, first.width, first.channels]
    self.init(building: shape) { out in
      var at = out.of(Float.self)
      for image in images {
        image.pixels.withUnsafeBufferPointer { pixels in
          for i in 0..<pixels.count { at[i] = table[Int(pixels[i])] }
        }
        at += image.pixels.count
      }
    }
  }
}

extension PixelImage {
  /// The pictures in a tensor of shape `[batch, height, width, channels]`, channels 1, 3 or 4.
  ///
  /// Values are rounded to the nearest byte, halves up, and clamped to the range. A NaN or an
  /// infinity is `ImageError.nonFinite`: it means that the computation failed, and a black picture
  /// would hide that.
  public static func images(
    from tensor: Tensor, range: PixelRange
  ) throws(ImageError) -> [PixelImage] {
    require(
      tensor.shape.rank == 4 && [1, 3, 4].contains(tensor.shape[3]),
      "pictures need shape [batch, height, width, 1, 3 or 4], not \(tensor.shape)")
    let (batch, height, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let channels = tensor.shape[3]
    let count = height * width * channels
    let (factor, offset) = range.scaleAndOffset
    let bias = -offset * factor + 0.5
    var images: [PixelImage] = []
    let values = tensor.detached().cast(to: .float32)
    for image in 0..<batch {
      var isFinite = true
      let pixels = [UInt8](unsafeUninitializedCapacity: count) { out, filled in
        reading(values) { base in
          let source = base.of(Float.self) + image * count
          // One sum tells whether any value is bad: a NaN or an infinity times 0 is a NaN.
          var check: Float = 0
          for i in 0..<count {
            let value = source[i]
            check += value * 0
            let scaled = value * factor + bias
            // A NaN compares false and becomes 0 here.
            let clamped = scaled > 0 ? (scaled < 255 ? scaled : 255) : 0
            out[i] = UInt8(truncatingIfNeeded: Int32(clamped))
          }
          isFinite = check == 0
        }
        filled = count
      }
      if !isFinite {
        let bad = reading(values) { base in
          let source = base.of(Float.self) + image * count
          return (0..<count).first { !source[$0].isFinite } ?? 0
        }
        throw .nonFinite(
          image: image, x: bad / channels % width, y: bad / channels / width,
          channel: bad % channels)
      }
      images.append(
        PixelImage(width: width, height: height, channels: channels, pixels: pixels))
    }
    return images
  }
}
