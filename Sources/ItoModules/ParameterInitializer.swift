public import ItoTensors

/// Makes the first values of parameters: random for a model to be trained, unwritten memory for one
/// about to be loaded.
public struct ParameterInitializer: Sendable {
  private var noise: NoiseSource?

  /// Random values, a function of `seed` and of the order of requests.
  public init(seed: UInt64) { noise = NoiseSource(seed: seed, engine: .philox) }

  private init() {}

  /// For a model whose every parameter will be loaded: values are undefined and memory is not
  /// touched, so that a large model costs nothing before its weights arrive.
  public static let placeholder = ParameterInitializer()

  /// Uniform in ±`bound`.
  public mutating func uniform(_ shape: Shape, bound: Double) -> Tensor {
    guard var source = noise.take() else { return Tensor(uninitialized: shape) }
    defer { noise = source }
    return 2 * bound * source.uniform(shape) - bound
  }

  /// Normal with the given standard deviation.
  public mutating func normal(_ shape: Shape, deviation: Double) -> Tensor {
    guard var source = noise.take() else { return Tensor(uninitialized: shape) }
    defer { noise = source }
    return deviation * source.normal(shape)
  }

  /// `value` everywhere.
  public func constant(_ shape: Shape, _ value: Double) -> Tensor {
    noise == nil ? Tensor(uninitialized: shape) : Tensor(repeating: value, shape: shape)
  }
}
