public import ItoComponents
public import ItoDiffusion
import ItoModels
public import ItoTensors

/// An autoencoder in a folder as the codec: one that `ito train` made (`task: autoencode`), or the `vae`
/// of a published model.
///
/// A picture's latent is the mean of its distribution, scaled as the folder's `config.json` says.
public struct FolderCodec: LatentCodec, Configurable {
  /// The name it is chosen by.
  public static let name = "autoencoder"
  /// What it is.
  public static let summary = "latents of a trained autoencoder; path: its folder"

  /// The folder.
  public let path: String
  /// What is known of the weights.
  public let identity: String
  private let codec: any LatentCodec

  /// Loads the autoencoder in `path`.
  public init(path: String) throws(PipelineError) {
    self.path = path
    let component = ModelComponent(name: "autoencoder", className: nil, folder: path)
    codec = try AutoencoderCodec.load(component, precision: .float32, weights: component.weights)
    identity = codec.identity
  }

  /// Option `path` (needed): the folder, which is read here.
  public init(options: inout OptionReader) throws(OptionError) {
    guard let path = try options.string("path") else { throw .missing(key: "path") }
    do throws(PipelineError) { try self.init(path: path) } catch {
      throw .invalidValue(
        key: "path", value: "'\(path)'", allowed: "an autoencoder's folder. \(error)")
    }
  }

  /// The shape of the latents of `count` pictures.
  public func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    try codec.latentShape(height: height, width: width, channels: channels, count: count)
  }
  /// Pictures to the means of their latents.
  public func encode(_ pictures: Tensor) -> Tensor { codec.encode(pictures) }
  /// Latents of one picture, drawn for each sample.
  public func encode(
    _ picture: Tensor, count: Int, noise: inout SamplingNoise
  ) throws(SamplingError) -> Tensor { try codec.encode(picture, count: count, noise: &noise) }
  /// Latents to pictures.
  public func decode(_ latents: Tensor) -> Tensor { codec.decode(latents) }
}

extension ComponentChoice {
  /// The choice with its option `path`, where it is a relative one, taken from `folder`.
  func relative(to folder: String) -> ComponentChoice {
    guard case .string(let path) = options["path"], !path.hasPrefix("/") else { return self }
    var result = self
    result.options["path"] = .string("\(folder)/\(path)")
    return result
  }
}
