public import ItoComponents
public import ItoDiffusion
public import ItoTensors

/// Between pictures as the person sees them and the tensors a network denoises.
public protocol LatentCodec: Sendable {
  /// What latents depend on besides the options the codec is chosen by: a network's weights. Empty
  /// unless implemented.
  var identity: String { get }
  /// The latent's shape for `count` pictures of the given size.
  func latentShape(height: Int, width: Int, channels: Int, count: Int) throws(PipelineError)
    -> Shape
  /// Pictures in −1…1, `[batch, height, width, channels]`, to latents.
  func encode(_ pictures: Tensor) -> Tensor
  /// Latents of one picture `[1, height, width, channels]` for `count` samples, each drawn from its own
  /// stream of `noise` where a picture's latent is a distribution.
  func encode(
    _ picture: Tensor, count: Int, noise: inout SamplingNoise
  ) throws(SamplingError) -> Tensor
  /// Latents to pictures, about −1…1.
  func decode(_ latents: Tensor) -> Tensor
}

extension LatentCodec {
  /// Nothing.
  public var identity: String { "" }

  /// The latent as it is, `count` times: nothing is drawn.
  public func encode(
    _ picture: Tensor, count: Int, noise: inout SamplingNoise
  ) throws(SamplingError) -> Tensor { encode(picture).repeated(count) }
}

/// No codec: the network sees pixels.
public struct PixelCodec: LatentCodec, Configurable {
  /// The name it is chosen by.
  public static let name = "pixels"
  /// What it is.
  public static let summary = "the network sees the pixels themselves"

  /// The identity.
  public init() {}
  /// Made from options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The shape of the latents of `count` pictures.
  public func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape { [count, height, width, channels] }
  /// Pictures to latents.
  public func encode(_ pictures: Tensor) -> Tensor { pictures }
  /// Latents to pictures.
  public func decode(_ latents: Tensor) -> Tensor { latents }
}

/// Blocks of pixels as channels: lossless, a quarter of the positions for blocks of 2.
public struct SpaceToDepthCodec: LatentCodec, Configurable {
  /// The name it is chosen by.
  public static let name = "space-to-depth"
  /// What it is.
  public static let summary = "blocks of pixels become channels"
  /// Side of a block.
  public var size: Int

  /// Blocks of `size` by `size` pixels.
  public init(size: Int = 2) { self.size = size }
  /// Made from options.
  public init(options: inout OptionReader) throws(OptionError) {
    size = try options.int("size", default: 2, in: 1...64)
  }

  /// The shape of the latents of `count` pictures.
  public func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    guard height % size == 0, width % size == 0 else {
      throw .request(
        "\(width)x\(height) is not a multiple of \(size) pixels, which this model needs")
    }
    return [count, height / size, width / size, channels * size * size]
  }
  /// Pictures to latents.
  public func encode(_ pictures: Tensor) -> Tensor { pictures.spaceToDepth(size: size) }
  /// Latents to pictures.
  public func decode(_ latents: Tensor) -> Tensor { latents.depthToSpace(size: size) }
}
