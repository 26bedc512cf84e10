public import ItoImages
public import ItoTensors

/// Quick pictures of a run that is not finished.
public protocol LatentPreview: Sendable {
  /// What clean estimates `[batch, height, width, channels]` look like, about −1…1, in any size.
  func picture(of clean: Tensor) -> Tensor
}

/// A linear map of each position of the latent to red, green and blue: one pixel for each, no network.
public struct LinearPreview: LatentPreview, Hashable {
  /// Weights, a row of three for each channel of the latent.
  public var weights: [[Float]]
  /// What is added.
  public var bias: [Float]

  /// A map of these weights.
  public init(weights: [[Float]], bias: [Float] = [0, 0, 0]) {
    self.weights = weights
    self.bias = bias
  }

  /// The latents of Stable Diffusion 1.x and 2.x, in the scale that the network sees.
  /// - Source: measured by users of huggingface's forum, thread 23204, *Decoding latents to RGB without
  ///   upscaling*.
  public static let stableDiffusion = LinearPreview(weights: [
    [0.3512, 0.2297, 0.3227], [0.3250, 0.4974, 0.2350], [-0.2829, 0.1762, 0.2721],
    [-0.2120, -0.2616, -0.7177],
  ])

  /// The latents of SDXL.
  public static let stableDiffusionXL = LinearPreview(
    weights: [
      [0.3651, 0.4232, 0.4341], [-0.2533, -0.0042, 0.1068], [0.1076, 0.1111, -0.0362],
      [-0.3165, -0.2492, -0.2188],
    ], bias: [0.1084, -0.0175, -0.0011])

  /// `clean·weights + bias`, or grey where the latent has another number of channels.
  public func picture(of clean: Tensor) -> Tensor {
    guard clean.shape[3] == weights.count else { return clean.mean(axes: [3], keepingAxes: true) }
    let matrix = Tensor(weights.flatMap { $0 }, shape: [weights.count, 3])
    return clean.matmul(matrix) + Tensor(bias, shape: [3])
  }
}

/// A small codec in the place of the large one.
public struct CodecPreview: LatentPreview {
  /// The codec.
  public var codec: any LatentCodec

  /// Previews by `codec`, which takes the same latents.
  public init(_ codec: any LatentCodec) { self.codec = codec }

  /// Previews by the autoencoder in `folder`: TAESD, as published.
  public init(folder: String) throws(PipelineError) {
    let component = ModelComponent(name: "vae", className: nil, folder: folder)
    codec = try AutoencoderCodec.load(component, precision: .float32, weights: component.weights)
  }

  /// What the codec makes of the estimates.
  public func picture(of clean: Tensor) -> Tensor { codec.decode(clean) }
}

extension ImageGenerator {
  /// Pictures of the estimates in `progress`: what the run would give if it ended now, in short.
  public func preview(_ progress: GenerationProgress) -> [PixelImage] {
    let pictures = preview?.picture(of: progress.clean) ?? progress.clean
    guard [1, 3, 4].contains(pictures.shape[3]) else { return [] }
    return (try? PixelImage.images(from: pictures, range: .signed)) ?? []
  }
}
