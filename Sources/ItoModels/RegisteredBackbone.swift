public import ItoComponents
public import ItoDiffusion
public import ItoModules
import ItoTensors

/// A network that is built from a `config.json` and found by its class name.
public protocol RegisteredBackbone: Backbone {
  /// The `_class_name` of its configuration.
  static var className: String { get }
  /// Builds it; a setting it does not implement is an error.
  init(configuration: JSONValue, _ initial: inout ParameterInitializer) throws(ModelError)
  /// Channels of the noisy input.
  var inputChannels: Int { get }
  /// Channels of the result (twice the input's when a variance is predicted too).
  var outputChannels: Int { get }
  /// Classes a label may name, the null class of guidance included; nil when it takes no label.
  var classCount: Int? { get }
  /// Height and width it was made for.
  var sampleSize: Int? { get }
  /// Transformer blocks that tokens may skip in training (``TokenRouting``): sites `.block` one after the
  /// other that know nothing of positions. 0 unless implemented.
  var routableBlocks: Int { get }
  /// The squares of the input that are one token each, where a token knows nothing of other squares before
  /// the first `.block` site; nil for networks that are otherwise, which is what they are unless they say
  /// so.
  var tokenSquares: TokenSquares? { get }
}

/// How a picture is cut into tokens.
public struct TokenSquares: Sendable, Hashable {
  /// Side of a square in pixels of the network's input.
  public var side: Int
  /// Features of a token.
  public var features: Int

  /// Squares of `side` pixels, tokens of `features` numbers.
  public init(side: Int, features: Int) {
    self.side = side
    self.features = features
  }
}

extension RegisteredBackbone {
  /// None.
  public var routableBlocks: Int { 0 }
  /// None.
  public var tokenSquares: TokenSquares? { nil }
}

/// A class of networks in the registry.
public struct BackboneFamily: Sendable {
  /// The class name.
  public let className: String
  private let build:
    @Sendable (JSONValue, inout ParameterInitializer) throws(ModelError) -> any RegisteredBackbone

  /// The entry of `type`.
  public static func register<B: RegisteredBackbone>(_ type: B.Type) -> BackboneFamily {
    BackboneFamily(className: B.className) { json, initial throws(ModelError) in
      try B(configuration: json, &initial)
    }
  }

  private init(
    className: String,
    build:
      @escaping @Sendable (JSONValue, inout ParameterInitializer) throws(ModelError)
      -> any RegisteredBackbone
  ) {
    self.className = className
    self.build = build
  }

  /// A network of this class.
  public func make(
    _ configuration: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) -> any RegisteredBackbone {
    try build(configuration, &initial)
  }
}

extension BackboneFamily {
  /// The network that `configuration` describes by its `_class_name`.
  public static func make(
    _ configuration: JSONValue, _ initial: inout ParameterInitializer
  ) throws(ModelError) -> any RegisteredBackbone {
    guard let name = configuration["_class_name"]?.string else {
      throw .missing(model: "config.json", key: "_class_name")
    }
    guard let family = builtin.first(where: { $0.className == name }) else {
      throw .unknownClass(name, known: builtin.map(\.className).sorted())
    }
    return try family.make(configuration, &initial)
  }
}
