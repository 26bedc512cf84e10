public import ItoTensors

/// The operands of one attention.
public struct AttentionInputs: Sendable {
  /// `[batch, tokens, heads, headDimension]`
  public var query: Tensor
  /// `[batch, keys, keyHeads, headDimension]`; as many heads as the query, or a divisor of them.
  public var key: Tensor
  /// As `key`.
  public var value: Tensor
  /// Which keys count, `[batch, keys]` bool; nil for all.
  public var mask: Tensor?
  /// Added to the scaled scores, `[batch or 1, heads or 1, tokens, keys]`.
  public var bias: Tensor?
  /// Whether a token sees no later one.
  public var isCausal: Bool
  /// Scale of the products; 1/√headDimension when nil.
  public var scale: Double?

  /// The operands.
  public init(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil, bias: Tensor? = nil,
    isCausal: Bool = false, scale: Double? = nil
  ) {
    self.query = query
    self.key = key
    self.value = value
    self.mask = mask
    self.bias = bias
    self.isCausal = isCausal
    self.scale = scale
  }
}

/// A way to compute attention: exact, sparse, quantized, over several machines. One file each.
public protocol AttentionBackend: Sendable {
  /// The output, of the query's shape.
  ///
  /// - Parameters:
  ///   - block: the number of the block in its network.
  ///   - step: where the run is; nil outside of one.
  func attend(_ inputs: AttentionInputs, block: Int, step: StepInfo?) -> Tensor
}
