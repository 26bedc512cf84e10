public import ItoTensors

/// A place in a network whose output a cache may reuse.
public enum CacheSite: Sendable, Hashable {
  /// The whole network.
  case model
  /// Everything of a U-Net below a level; level 1 is inside the outermost.
  case subtree(level: Int)
  /// One of the blocks of a transformer.
  case block(index: Int, count: Int)
  /// The attention branch of a block.
  case attention(block: Int)
  /// The feed-forward branch of a block.
  case feedForward(block: Int)
}

/// What flows through a site: the image stream, and the text stream where a model has two.
public struct Activations: Sendable {
  /// Image stream.
  public var hidden: Tensor
  /// Text stream.
  public var encoder: Tensor?

  /// The two streams.
  public init(_ hidden: Tensor, encoder: Tensor? = nil) {
    self.hidden = hidden
    self.encoder = encoder
  }

  /// Sum of both streams.
  public static func + (a: Activations, b: Activations) -> Activations {
    combination([(1, a), (1, b)])
  }

  /// Difference of both streams.
  public static func - (a: Activations, b: Activations) -> Activations {
    combination([(1, a), (-1, b)])
  }

  /// Both streams times `scale`.
  public func scaled(by scale: Double) -> Activations { Self.combination([(scale, self)]) }

  /// `Σ coefficient · activations` in one pass for each stream. The text stream is there if all terms
  /// have one.
  public static func combination(
    _ terms: [(coefficient: Double, activations: Activations)]
  ) -> Activations {
    let encoders = terms.compactMap { term in
      term.activations.encoder.map { (coefficient: term.coefficient, tensor: $0) }
    }
    let hidden = terms.map { (coefficient: $0.coefficient, tensor: $0.activations.hidden) }
    return Activations(
      Tensor.linearCombination(hidden),
      encoder: encoders.count == terms.count ? Tensor.linearCombination(encoders) : nil)
  }
}

/// A site about to be computed. May grow fields.
public struct CacheQuery {
  /// The place.
  public let site: CacheSite
  /// What goes in.
  public let input: Activations
  /// When in the run.
  public let step: StepInfo
  /// A tensor that foretells how much the output changes, where the model offers one (the modulated
  /// input of its first block).
  public let signal: () -> Tensor?

  /// A query.
  public init(
    site: CacheSite, input: Activations, step: StepInfo, signal: @escaping () -> Tensor? = { nil }
  ) {
    self.site = site
    self.input = input
    self.step = step
    self.signal = signal
  }
}

/// When to reuse what was computed before. One file each; works on every model that has the sites it
/// looks at.
public protocol CachePolicy: Sendable {
  /// The state of a run.
  associatedtype Session: CacheSession
  /// The state at the beginning of a run.
  func makeSession(for plan: SamplingPlan) -> Session
}

/// A cache policy's memory: a value, one for each guidance pass of a run.
///
/// Two calls rather than one with a closure: sites nest, and a session must not be in use while the
/// inside of a site asks for it.
public protocol CacheSession {
  /// What to use as the output of the site, or nil to have it computed.
  mutating func lookup(_ query: CacheQuery) -> Activations?
  /// Told the output of a site that was computed.
  mutating func record(_ output: Activations, for query: CacheQuery)
}

/// How often sites were computed and reused.
public struct CacheStatistics: Sendable, Hashable {
  /// Sites computed while a cache was in use.
  public var computed = 0
  /// Sites whose output was reused.
  public var reused = 0

  /// Counts of zero.
  public init() {}
}
