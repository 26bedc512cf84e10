import ItoComponents
public import ItoModels
import ItoModules
public import ItoTensors

/// Small pictures as latents, made large by a network.
public struct EnlargingCodec: LatentCodec {
  /// How pictures become small.
  public let averaging: AveragingCodec
  /// The network that makes them large.
  public let enlarger: Enlarger

  /// A codec around `enlarger`.
  public init(_ enlarger: Enlarger) {
    self.enlarger = enlarger
    averaging = AveragingCodec(size: enlarger.factor)
  }

  /// Loads the network from `folder`, which `ito train` wrote.
  public init(folder: String) throws(PipelineError) {
    let manifest = try ModelManifest(folder: folder)
    guard manifest.task == .enlarge else {
      throw .request("\(folder) is not a network that makes pictures large")
    }
    let network = try wrapping(PipelineError.model) { () throws(ModelError) in
      var initial = ParameterInitializer.placeholder
      return try Enlarger(configuration: manifest.network, &initial)
    }
    self.init(
      try loadWeights(network, from: folder + "/" + manifest.weights).converted(to: .float32))
  }

  /// The shape of the latents of `count` pictures.
  public func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    try averaging.latentShape(height: height, width: width, channels: channels, count: count)
  }
  /// Pictures to latents.
  public func encode(_ pictures: Tensor) -> Tensor { averaging.encode(pictures) }
  /// Latents to pictures.
  public func decode(_ latents: Tensor) -> Tensor { enlarger(latents.clamped(to: -1...1)) }
}
