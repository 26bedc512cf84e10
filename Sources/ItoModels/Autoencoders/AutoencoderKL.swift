public import ItoCheckpoints
public import ItoComponents
import ItoDiffusion
public import ItoModules
public import ItoTensors

/// The autoencoder between pictures and the latents that Stable Diffusion 1, 2, XL, 3 and Flux denoise.
///
/// Parameters are keyed like diffusers' `AutoencoderKL`; `keyMap(for:)` finds the names of older files too.
///
/// - Shapes: pictures `[batch, height, width, 3]`, about −1…1, height and width multiples of `factor`;
///   latents `[batch, height / factor, width / factor, latentChannels]`.
/// - Source: Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*,
///   arXiv:2112.10752, §3.1 and appendix G; Kingma & Welling 2013, arXiv:1312.6114.
public struct AutoencoderKL: Module {
  /// The `_class_name` of its configuration.
  public static let className = "AutoencoderKL"

  /// Its shape.
  public let configuration: AutoencoderKLConfiguration
  private var encoder: VAEEncoder, decoder: VAEDecoder
  private var quantConv: Conv2D?, postQuantConv: Conv2D?

  /// Made from a `config.json`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    self.init(try AutoencoderKLConfiguration(json), &initial)
  }

  /// A network of the given shape.
  public init(_ c: AutoencoderKLConfiguration, _ initial: inout ParameterInitializer) {
    configuration = c
    encoder = VAEEncoder(c, &initial)
    decoder = VAEDecoder(c, &initial)
    let z = c.latentChannels
    quantConv = c.hasQuantConv ? Conv2D(2 * z, 2 * z, kernel: 1, &initial) : nil
    postQuantConv = c.hasPostQuantConv ? Conv2D(z, z, kernel: 1, &initial) : nil
  }

  /// Pictures' pixels for each pixel of a latent, along one side.
  public var factor: Int { configuration.factor }
  /// Channels of a latent.
  public var latentChannels: Int { configuration.latentChannels }
  /// What a network denoises is `(latent − shiftFactor) · scalingFactor`.
  public var scalingFactor: Double { configuration.scalingFactor }
  /// See `scalingFactor`.
  public var shiftFactor: Double { configuration.shiftFactor }

  /// The distribution of latents of pictures: mean and logarithm of the variance, each
  /// `[batch, height / factor, width / factor, latentChannels]`. The logarithm is kept within −30…20.
  ///
  /// - Parameters:
  ///   - bandRows: compute feature maps in bands of so many rows, and pictures one after the
  ///     other, which takes less memory and gives the same up to rounding; nil for whole maps.
  ///   - savesMemory: give the memory of maps back where the next are of another size, which changes no
  ///     bit; having it again takes time. Bands always do.
  public func encode(
    _ images: Tensor, bandRows: Int? = nil, savesMemory: Bool = false
  ) -> (mean: Tensor, logVariance: Tensor) {
    let moments = encoder(
      images, bandRows: bandRows.map { max(1, $0) }, savesMemory: savesMemory)
    let parts = (quantConv?(moments) ?? moments).chunks(2, axis: -1)
    return (parts[0], parts[1].clamped(to: -30...20))
  }

  /// Pictures of latents, about −1…1.
  ///
  /// - Parameters:
  ///   - bandRows: compute feature maps in bands of so many rows, and pictures one after the
  ///     other, which takes less memory and gives the same up to rounding; nil for whole maps. 64 is a
  ///     good number.
  ///   - savesMemory: give the memory of maps back where the next are of another size, which changes no
  ///     bit; having it again takes time. Bands always do.
  public func decode(
    _ latents: Tensor, bandRows: Int? = nil, savesMemory: Bool = false
  ) -> Tensor {
    decoder(
      postQuantConv?(latents) ?? latents, bandRows: bandRows.map { max(1, $0) },
      savesMemory: savesMemory)
  }

  /// A latent drawn from the distribution that `encode` gives: `mean + e^(logVariance / 2) · noise`.
  public static func sample(
    _ moments: (mean: Tensor, logVariance: Tensor), noise: Tensor
  ) -> Tensor {
    moments.mean + (0.5 * moments.logVariance).exp() * noise
  }

  /// What a network denoises, of a latent.
  public func normalised(_ latent: Tensor) -> Tensor {
    guard let (mean, deviation) = channelStatistics else {
      return shiftFactor == 0
        ? latent * scalingFactor : (latent - shiftFactor) * scalingFactor
    }
    return (latent - mean) * scalingFactor / deviation
  }

  /// The latent, of what a network denoises.
  public func denormalised(_ x: Tensor) -> Tensor {
    guard let (mean, deviation) = channelStatistics else {
      return shiftFactor == 0 ? x / scalingFactor : x / scalingFactor + shiftFactor
    }
    return x * deviation / scalingFactor + mean
  }

  private var channelStatistics: (mean: Tensor, deviation: Tensor)? {
    guard let mean = configuration.latentMean, let deviation = configuration.latentDeviation else {
      return nil
    }
    func row(_ numbers: [Double]) -> Tensor {
      Tensor(numbers.map(Float.init), shape: [numbers.count])
    }
    return (row(mean), row(deviation))
  }

  /// Where a file with these keys has the parameters: the names of today, or those that attention had
  /// in files of 2022 (`query`, `key`, `value`, `proj_attn`).
  public static func keyMap(for keys: Set<String>) -> KeyMap {
    guard keys.contains(where: { $0.contains("attentions.0.proj_attn.") }) else { return .identity }
    let old = ["to_q": "query", "to_k": "key", "to_v": "value"]
    return KeyMap { path in
      var parts: [String] = []
      for part in path.components {
        if part == "0" && parts.last == "to_out" {
          parts[parts.count - 1] = "proj_attn"
        } else {
          parts.append(old[part] ?? part)
        }
      }
      return .whole(parts.joined(separator: "."))
    }
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.child("encoder", &encoder)
    try v.child("decoder", &decoder)
    try v.child("quant_conv", &quantConv)
    try v.child("post_quant_conv", &postQuantConv)
  }
}
