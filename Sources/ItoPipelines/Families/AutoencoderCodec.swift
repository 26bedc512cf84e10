import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors

/// An autoencoder as a model's codec: pictures to the latents that a network denoises and back.
struct AutoencoderCodec: LatentCodec {
  private let network: AutoencoderKL
  private let computeType: DType
  /// Whether maps too large to be whole are computed in bands.
  private let savesMemory: Bool

  /// The autoencoder of a model, in whatever class it is.
  ///
  /// - Parameters:
  ///   - savesMemory: compute large pictures in bands of rows.
  ///   - weights: opens its tensors, when the configuration is known to be good.
  static func load(
    _ component: ModelComponent, precision: DType, savesMemory: Bool = false,
    weights: () throws(PipelineError) -> any TensorSource
  ) throws(PipelineError) -> any LatentCodec {
    let json = try component.configuration()
    let name = json["_class_name"]?.string ?? component.className ?? "AutoencoderKL"
    guard let load = classes[name] else {
      throw .request(
        "\(component.path): autoencoders of class \(name) are not supported; known are "
          + classes.keys.sorted().joined(separator: ", "))
    }
    return try load(json, try weights(), precision, savesMemory)
  }

  private typealias Load =
    @Sendable (JSONValue, any TensorSource, DType, Bool) throws(PipelineError) -> any LatentCodec

  /// The classes that are understood.
  private static let classes: [String: Load] = [
    AutoencoderKL.className: { json, source, precision, savesMemory throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let empty = try wrapping(PipelineError.model) { () throws(ModelError) in
        try AutoencoderKL(configuration: json, &initial)
      }
      let network = try loadWeights(
        empty, from: source, keys: AutoencoderKL.keyMap(for: source.keys), dtype: precision)
      return AutoencoderCodec(network: network, computeType: precision, savesMemory: savesMemory)
    },
    AutoencoderTiny.className: { json, source, precision, _ throws(PipelineError) in
      var initial = ParameterInitializer.placeholder
      let empty = try wrapping(PipelineError.model) { () throws(ModelError) in
        try AutoencoderTiny(configuration: json, &initial)
      }
      return TinyCodec(
        network: try loadWeights(empty, from: source, dtype: precision), computeType: precision)
    },
  ]

  var identity: String {
    "\(network.configuration) \(network.parameters.reduce(0.0) { $0 + $1.tensor.sumOfSquares })"
  }

  func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    let own = network.configuration.inChannels
    guard channels == own else {
      throw .request("pictures have \(channels) channels, the autoencoder is for \(own)")
    }
    return try LatentLayout(factor: network.factor, channels: network.latentChannels)
      .shape(height: height, width: width, count: count)
  }

  func encode(_ pictures: Tensor) -> Tensor {
    let moments = network.encode(
      pictures.cast(to: computeType), bandRows: bandRows(pictures.shape, scale: 1))
    return network.normalised(moments.mean.cast(to: .float32))
  }

  func encode(
    _ picture: Tensor, count: Int, noise: inout SamplingNoise
  ) throws(SamplingError) -> Tensor {
    let moments = network.encode(
      picture.cast(to: computeType), bandRows: bandRows(picture.shape, scale: 1))
    let mean = moments.mean.cast(to: .float32)
    var shape = mean.shape
    shape[0] = count
    let drawn = AutoencoderKL.sample(
      (mean, moments.logVariance.cast(to: .float32)), noise: try noise.normal(shape))
    return network.normalised(drawn)
  }

  func decode(_ latents: Tensor) -> Tensor {
    network.decode(
      network.denormalised(latents).cast(to: computeType),
      bandRows: bandRows(latents.shape, scale: network.factor)
    ).cast(to: .float32)
  }

  private func bandRows(_ shape: Shape, scale: Int) -> Int? {
    let channels = 2 * (network.configuration.blockOutChannels.first ?? 0)
    let pixels = shape[0] * shape[1] * shape[2] * scale * scale
    return savesMemory ? Self.bandRows(mapBytes: pixels * channels * computeType.byteCount) : nil
  }

  /// Rows of a feature map computed at once where memory is to be spared; nil for whole maps.
  ///
  /// Bands take twice the time, so they are for pictures beyond 512 × 512 in bfloat16, where decoding holds some seven maps of
  /// `mapBytes`: the largest, at full size with twice the channels of the first level.
  static func bandRows(mapBytes: Int) -> Int? { mapBytes > 1 << 27 ? 64 : nil }
}

/// A small autoencoder without a distribution, such as TAESD.
struct TinyCodec: LatentCodec {
  let network: AutoencoderTiny
  let computeType: DType

  func latentShape(
    height: Int, width: Int, channels: Int, count: Int
  ) throws(PipelineError) -> Shape {
    try LatentLayout(factor: network.factor, channels: network.latentChannels)
      .shape(height: height, width: width, count: count)
  }

  func encode(_ pictures: Tensor) -> Tensor {
    let latents = network.encode(pictures.cast(to: computeType)).cast(to: .float32)
    return (latents - network.shiftFactor) * network.scalingFactor
  }

  func decode(_ latents: Tensor) -> Tensor {
    let z = latents / network.scalingFactor + network.shiftFactor
    return network.decode(z.cast(to: computeType)).cast(to: .float32)
  }
}
