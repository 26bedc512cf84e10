public import ItoComponents
public import ItoTensors

/// The shape of a model's latents: what is known of a codec before its weights are read.
public struct LatentLayout: Sendable, Hashable {
  /// Pixels for one position of the latent, along each side.
  public var factor: Int
  /// Channels of the latent.
  public var channels: Int
  /// What the sides of a picture must be multiples of, in pixels.
  public var multiple: Int

  /// A layout; sides must be multiples of `factor` unless of more.
  public init(factor: Int, channels: Int, multiple: Int? = nil) {
    self.factor = factor
    self.channels = channels
    self.multiple = multiple ?? factor
  }

  /// The layout of an autoencoder with this `config.json`: each block but the last halves the sides.
  public init(autoencoder json: JSONValue) {
    let blocks = json["block_out_channels"]?.array ?? json["encoder_block_out_channels"]?.array
    self.init(
      factor: 1 << max(0, min(8, (blocks?.count ?? 4) - 1)),
      channels: json["latent_channels"]?.int ?? 4)
  }

  /// The shape of the latents of `count` pictures, `[count, height, width, channels]`.
  public func shape(height: Int, width: Int, count: Int) throws(PipelineError) -> Shape {
    guard height % multiple == 0, width % multiple == 0 else {
      func near(_ side: Int) -> Int { max(multiple, (side + multiple / 2) / multiple * multiple) }
      throw .request(
        "\(width)x\(height) is not a multiple of \(multiple) pixels, which this model needs; "
          + "ask for \(near(width))x\(near(height))")
    }
    return [count, height / factor, width / factor, channels]
  }
}
