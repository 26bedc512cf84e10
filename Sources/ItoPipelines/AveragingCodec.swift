public import ItoComponents
public import ItoTensors

/// The mean colour of each block of pixels: a small picture to denoise, enlarged smoothly at the end.
///
/// Fine detail is lost; a learned enlargement restores it.
public struct AveragingCodec: LatentCodec, Configurable {
  /// The name it is chosen by.
  public static let name = "averaging"
  /// What it is.
  public static let summary = "the mean colour of each block of pixels"
  /// Side of a block.
  public var size: Int

  /// Blocks of `size` by `size` pixels.
  public init(size: Int = 4) { self.size = size }
  /// Made from options.
  public init(options: inout OptionReader) throws(OptionError) {
    size = try options.int("size", default: 4, in: 1...64)
  }

  /// The shape of the latents of `count` pictures.
  public func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    guard height % size == 0, width % size == 0 else {
      throw .request(
        "\(width)x\(height) is not a multiple of \(size) pixels, which this model needs")
    }
    return [count, height / size, width / size, channels]
  }
  /// Pictures to latents.
  public func encode(_ pictures: Tensor) -> Tensor { pictures.averagePooled(window: size) }
  /// Latents to pictures.
  public func decode(_ latents: Tensor) -> Tensor {
    latents.resizedBilinear(height: latents.shape[1] * size, width: latents.shape[2] * size)
  }
}
