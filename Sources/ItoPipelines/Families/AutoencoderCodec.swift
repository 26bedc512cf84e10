import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors

/// An autoencoder as a model's codec: pictures to the latents that a network denoises and back.
struct AutoencoderCodec: LatentCodec {
  let network: AutoencoderKL
  let computeType: DType
  /// Whether maps too large to be whole are computed in bands, and memory is given back early.
  let savesMemory: Bool

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
    eachThatIsLarge(pictures, scale: 1) { pictures, bandRows in
      let moments = network.encode(
        pictures.cast(to: computeType), bandRows: bandRows, savesMemory: savesMemory)
      return network.normalised(moments.mean.cast(to: .float32))
    }
  }

  func encode(
    _ picture: Tensor, count: Int, noise: inout SamplingNoise
  ) throws(SamplingError) -> Tensor {
    let bytes = mapBytes(picture.shape, scale: 1)
    let moments = network.encode(
      picture.cast(to: computeType), bandRows: savesMemory ? Self.bandRows(mapBytes: bytes) : nil,
      savesMemory: savesMemory)
    let mean = moments.mean.cast(to: .float32)
    var shape = mean.shape
    shape[0] = count
    let drawn = AutoencoderKL.sample(
      (mean, moments.logVariance.cast(to: .float32)), noise: try noise.normal(shape))
    return network.normalised(drawn)
  }

  func decode(_ latents: Tensor) -> Tensor {
    eachThatIsLarge(latents, scale: network.factor) { latents, bandRows in
      network.decode(
        network.denormalised(latents).cast(to: computeType), bandRows: bandRows,
        savesMemory: savesMemory
      ).cast(to: .float32)
    }
  }

  /// `body` of all pictures, or of one after the other where maps are so large that company saves no time but each
  /// picture takes its memory.
  private func eachThatIsLarge(
    _ x: Tensor, scale: Int, _ body: (Tensor, _ bandRows: Int?) -> Tensor
  ) -> Tensor {
    let bytes = mapBytes(x.shape, scale: scale)
    let rows = savesMemory ? Self.bandRows(mapBytes: bytes) : nil
    guard x.shape[0] > 1, bytes > Self.sharedMapBytes else { return body(x, rows) }
    let parts = (0..<x.shape[0]).map { body(x.sliced($0..<$0 + 1, axis: 0), rows) }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// Bytes of one picture's largest map, which is at full size with twice the channels of the first level.
  private func mapBytes(_ shape: Shape, scale: Int) -> Int {
    let channels = 2 * (network.configuration.blockOutChannels.first ?? 0)
    return shape[1] * shape[2] * scale * scale * channels * computeType.byteCount
  }

  /// The largest map of pictures that are decoded together.
  private static let sharedMapBytes = 1 << 25

  /// Rows of a feature map computed at once where memory is to be spared; nil for whole maps.
  ///
  /// Bands take twice the time, so they are for pictures beyond 512 × 512 in float32 or 724 × 724 in bfloat16, where
  /// decoding holds some three maps of `mapBytes`.
  static func bandRows(mapBytes: Int) -> Int? { mapBytes > 1 << 28 ? 64 : nil }
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
