public import ItoImages
public import ItoTensors

/// What a run starts from instead of noise alone.
public struct StartingPoint: Sendable {
  /// A picture, or latents that another run left.
  public enum Content: Sendable {
    /// A picture; it is scaled to the size that is drawn.
    case picture(PixelImage)
    /// The latents of all pictures of the request, `[pictures, height, width, channels]`, as noisy as the
    /// run's first step expects.
    case latents(Tensor)
  }

  /// What it is.
  public var content: Content
  /// The share of the steps that is run on a picture, 0 to 1: more changes it more.
  public var strength: Double
  /// What is to be redrawn: white is, black stays as it is. All of it when nil.
  public var mask: PixelImage?
  /// Whether the result is put into the picture, so that pixels where the mask is black are the
  /// picture's own. Without, they are what the codec makes of them.
  public var keepsUnmasked: Bool

  /// A start from `picture`.
  ///
  /// - Parameter strength: 0.8 unless there is a mask, which needs 1.
  public init(
    picture: PixelImage, strength: Double? = nil, mask: PixelImage? = nil,
    keepsUnmasked: Bool = true
  ) {
    content = .picture(picture)
    self.strength = strength ?? (mask == nil ? 0.8 : 1)
    self.mask = mask
    self.keepsUnmasked = keepsUnmasked
  }

  /// A start from another run's latents.
  public init(latents: Tensor) {
    content = .latents(latents)
    strength = 1
    keepsUnmasked = false
  }

  /// The picture, if it is one.
  public var picture: PixelImage? {
    if case .picture(let picture) = content { picture } else { nil }
  }

  /// The size to draw at when none is asked for: the picture's, down to multiples of `multiple`.
  func naturalSize(multiple: Int) -> PixelSize? {
    picture.map {
      PixelSize(
        height: max(multiple, $0.height / multiple * multiple),
        width: max(multiple, $0.width / multiple * multiple))
    }
  }

  /// The picture at the size to draw, in three channels.
  func scaledPicture(height: Int, width: Int) -> PixelImage? {
    picture?.resized(width: width, height: height).rgb()
  }

  /// The mask at that size, in one channel.
  func scaledMask(height: Int, width: Int) -> PixelImage? {
    mask?.resized(width: width, height: height).grey(over: .black)
  }

  func validate() throws(PipelineError) {
    guard strength > 0, strength <= 1 else {
      throw .request("a strength of \(strength); give more than 0 and at most 1")
    }
    if let mask, let picture, mask.width != picture.width || mask.height != picture.height {
      throw .request(
        "the mask has \(mask.width)x\(mask.height) pixels and the picture "
          + "\(picture.width)x\(picture.height); make them the same size")
    }
  }
}

extension PixelImage {
  /// Whether each pixel is to be redrawn, `[1, height, width, 1]`: 1 from half grey on, else 0.
  func redrawn() -> Tensor {
    Tensor(grey().pixels.map { $0 >= 128 ? 1 : 0 } as [Float], shape: [1, height, width, 1])
  }

  /// This picture where `mask` is white, `other` where it is black, and a mixture in between.
  ///
  /// All three have the same size; the pictures have three channels, the mask one.
  func composited(over other: PixelImage, mask: PixelImage) -> PixelImage {
    var bytes = other.pixels
    for pixel in mask.pixels.indices where mask.pixels[pixel] > 0 {
      let weight = Int(mask.pixels[pixel])
      for i in 3 * pixel..<3 * pixel + 3 {
        let sum = Int(pixels[i]) * weight + Int(bytes[i]) * (255 - weight)
        bytes[i] = UInt8(truncatingIfNeeded: (sum + 127) / 255)
      }
    }
    return PixelImage(width: width, height: height, channels: 3, pixels: bytes)
  }
}
