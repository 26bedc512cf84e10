public import ItoComponents
public import ItoModules
public import ItoTensors

/// A small autoencoder that imitates a large one: previews of latents for a hundredth of the work (TAESD).
///
/// Parameters are keyed like diffusers' `AutoencoderTiny`.
///
/// - Shapes: pictures `[batch, height, width, 3]` in −1…1, latents
///   `[batch, height / factor, width / factor, latentChannels]`. Latents are what a network denoises,
///   with no scale of their own.
/// - Source: Bohan 2023, *TAESD*, https://github.com/madebyollin/taesd.
public struct AutoencoderTiny: Module {
  /// The `_class_name` of its configuration.
  public static let className = "AutoencoderTiny"

  /// Channels of a latent.
  public let latentChannels: Int
  /// Pictures' pixels for each pixel of a latent, along one side.
  public let factor: Int
  /// What a network denoises is `latent · scalingFactor`: 1.
  public let scalingFactor: Double
  /// Subtracted from a latent before scaling: 0.
  public let shiftFactor: Double
  private var encoder: [TinyLayer], decoder: [TinyLayer]

  /// Made from a `config.json`.
  public init(
    configuration json: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) {
    var c = try ModelConfiguration(json, model: Self.className)
    // The magnitude and shift are for latents kept as bytes in PNG files, not for the network.
    c.ignore("force_upcast", "latent_magnitude", "latent_shift", "block_out_channels")
    let inChannels = try c.int("in_channels", default: 3)
    let outChannels = try c.int("out_channels", default: 3)
    latentChannels = try c.int("latent_channels", default: 4)
    scalingFactor = try c.double("scaling_factor", default: 1)
    shiftFactor = try c.double("shift_factor", default: 0)
    let act = try c.choice(
      "act_fn", of: ["relu", "silu", "swish", "gelu", "mish"], default: "relu")
    let activation = act == "swish" ? .silu : Activation(rawValue: act) ?? .relu
    _ = try c.choice("upsample_fn", of: ["nearest"], default: "nearest")
    let scale = try c.int("upsampling_scaling_factor", default: 2)
    let down = try c.tinyLevels("encoder", [1, 3, 3, 3])
    let up = try c.tinyLevels("decoder", [3, 3, 3, 1])
    try c.finish()
    guard scale == 2, down.widths.count == up.widths.count else {
      throw c.wrong("upsampling_scaling_factor", "2, with as many levels down as up")
    }
    factor = 1 << (down.widths.count - 1)
    encoder = Self.encoder(inChannels, latentChannels, down, activation, &initial)
    decoder = Self.decoder(latentChannels, outChannels, up, activation, &initial)
  }

  /// Channels and numbers of blocks of the levels.
  fileprivate typealias Levels = (widths: [Int], blocks: [Int])

  private static func encoder(
    _ inChannels: Int, _ outChannels: Int, _ levels: Levels, _ activation: Activation,
    _ initial: inout ParameterInitializer
  ) -> [TinyLayer] {
    var layers: [TinyLayer] = []
    for (i, (width, count)) in zip(levels.widths, levels.blocks).enumerated() {
      layers.append(
        .convolution(
          i == 0
            ? Conv2D(inChannels, width, kernel: 3, &initial)
            : Conv2D(width, width, kernel: 3, stride: 2, bias: false, &initial)))
      for _ in 0..<count { layers.append(.block(TinyBlock(width, activation, &initial))) }
    }
    let last = levels.widths[levels.widths.count - 1]
    return layers + [.convolution(Conv2D(last, outChannels, kernel: 3, &initial))]
  }

  private static func decoder(
    _ inChannels: Int, _ outChannels: Int, _ levels: Levels, _ activation: Activation,
    _ initial: inout ParameterInitializer
  ) -> [TinyLayer] {
    var layers: [TinyLayer] = [
      .convolution(Conv2D(inChannels, levels.widths[0], kernel: 3, &initial)),
      .activation(activation),
    ]
    for (i, (width, count)) in zip(levels.widths, levels.blocks).enumerated() {
      for _ in 0..<count { layers.append(.block(TinyBlock(width, activation, &initial))) }
      let isLast = i + 1 == levels.widths.count
      if !isLast { layers.append(.doubling) }
      layers.append(
        .convolution(
          Conv2D(width, isLast ? outChannels : width, kernel: 3, bias: isLast, &initial)))
    }
    return layers
  }

  /// Latents of pictures in −1…1.
  public func encode(_ images: Tensor) -> Tensor {
    encoder.reduce(0.5 * images + 0.5) { $1($0) }
  }

  /// Pictures of latents, about −1…1. Latents beyond ±3 are bent back softly.
  public func decode(_ latents: Tensor) -> Tensor {
    2 * decoder.reduce(3 * (latents / 3).tanh()) { $1($0) } - 1
  }

  /// Visits its parameters.
  public mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    try v.scope("encoder") { v throws(V.Failure) in try v.children("layers", &encoder) }
    try v.scope("decoder") { v throws(V.Failure) in try v.children("layers", &decoder) }
  }
}

extension ModelConfiguration {
  fileprivate mutating func tinyLevels(
    _ side: String, _ blocks: [Int]
  ) throws(ModelError) -> AutoencoderTiny.Levels {
    let key = "num_\(side)_blocks", widthKey = "\(side)_block_out_channels"
    let counts = json(key) == nil ? blocks : try ints(key)
    let widths =
      json(widthKey) == nil ? [Int](repeating: 64, count: counts.count) : try ints(widthKey)
    guard widths.count == counts.count, counts.count <= 8, Set(widths).count == 1 else {
      throw wrong(widthKey, "one width, as often as there are levels (\(counts.count)), at most 8")
    }
    try limit(widthKey, widths, to: 1 << 14)
    try limit(key, counts, to: 64)
    return (widths, counts)
  }
}

/// One entry of the lists that the network is.
private enum TinyLayer: Module {
  case convolution(Conv2D), block(TinyBlock), activation(Activation)
  /// Every pixel becomes four.
  case doubling

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .convolution(let conv): conv(x)
    case .block(let block): block(x)
    case .activation(let activation): x.activated(by: activation)
    case .doubling: x.resizedNearest(height: 2 * x.shape[1], width: 2 * x.shape[2])
    }
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    switch self {
    case .convolution(var conv):
      self = .doubling
      defer { self = .convolution(conv) }
      try conv.visit(&v)
    case .block(var block):
      self = .doubling
      defer { self = .block(block) }
      try block.visit(&v)
    case .activation, .doubling: break
    }
  }
}

/// Three convolutions added to their input.
private struct TinyBlock: Module {
  private var convolutions: [Conv2D]
  private let activation: Activation

  init(_ width: Int, _ activation: Activation, _ initial: inout ParameterInitializer) {
    convolutions = (0..<3).map { _ in Conv2D(width, width, kernel: 3, &initial) }
    self.activation = activation
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var h = x
    for conv in convolutions.dropLast() { h = conv(h, activation: activation) }
    return convolutions[convolutions.count - 1](h, adding: x, activation: .relu)
  }

  mutating func visit<V: ModuleVisitor>(_ v: inout V) throws(V.Failure) {
    // Their places in the reference's list, between activations.
    for i in convolutions.indices {
      try v.scope("conv.\(2 * i)") { v throws(V.Failure) in
        try convolutions[i].visit(&v)
      }
    }
  }
}
