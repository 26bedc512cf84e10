public import ItoComponents

/// The shape of a `ConvTransformer`.
public struct ConvTransformerConfiguration: Sendable, Hashable {
  /// Height and width of its input.
  public var sampleSize = 32
  /// Channels in and out.
  public var inChannels = 3, outChannels = 3
  /// Channels of each convolution level, the finest first, which works at half the input's size.
  public var channels = [64, 128]
  /// Blocks, heads of attention and width of a head.
  public var layers = 6, heads = 4, headDimension = 64
  /// Features of a prompt's tokens; nil for none.
  public var crossAttentionFeatures: Int?
  /// Features of the pooled prompt; nil for none.
  public var pooledFeatures: Int?
  /// Features of the vector that steers every block.
  public var conditioningFeatures = 128
  /// Groups of the norms between convolutions.
  public var normGroups = 8

  /// Features of a token.
  public var width: Int { heads * headDimension }
  /// Height and width where the transformer works.
  public var grid: Int { sampleSize >> (channels.count + 1) }

  /// Reads `sample_size`, `in_channels`, `out_channels`, `block_out_channels`, `num_layers`,
  /// `num_attention_heads`, `attention_head_dim`, `cross_attention_dim`, `pooled_projection_dim`,
  /// `conditioning_dim` and `norm_num_groups`.
  public init(_ json: JSONValue) throws(ModelError) {
    let model = ConvTransformer.className
    var c = try ModelConfiguration(json, model: model)
    sampleSize = try c.int("sample_size", default: 32)
    inChannels = try c.int("in_channels", default: 3)
    outChannels = try c.int("out_channels", default: inChannels)
    channels = try c.ints("block_out_channels")
    layers = try c.int("num_layers", default: 6)
    heads = try c.int("num_attention_heads", default: 4)
    headDimension = try c.int("attention_head_dim", default: 64)
    crossAttentionFeatures = try c.optionalInt("cross_attention_dim")
    pooledFeatures = try c.optionalInt("pooled_projection_dim")
    conditioningFeatures = try c.int("conditioning_dim", default: 128)
    normGroups = try c.int("norm_num_groups", default: 8)
    try c.finish()
    guard sampleSize % (1 << (channels.count + 1)) == 0, grid > 0 else {
      throw .invalid(
        model: model, key: "sample_size", value: "\(sampleSize)",
        expected: "a multiple of \(1 << (channels.count + 1)), for \(channels.count) levels")
    }
    if let odd = channels.first(where: { $0 % normGroups != 0 }) {
      throw .invalid(
        model: model, key: "block_out_channels", value: "\(odd)",
        expected: "multiples of norm_num_groups (\(normGroups))")
    }
    guard conditioningFeatures % 2 == 0 else {
      throw .invalid(
        model: model, key: "conditioning_dim", value: "\(conditioningFeatures)",
        expected: "an even number")
    }
  }
}
