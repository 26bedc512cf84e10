public import ItoComponents
public import ItoTensors

/// Exact attention in one kernel, with memory in proportion to the number of tokens.
///
/// - Source: Dao 2023, *FlashAttention-2*, arXiv:2307.08691.
public struct FusedAttention: AttentionBackend, Configurable {
  /// Its name in the registry.
  public static let name = "fused"
  /// What other tools call it.
  public static let aliases = ["flash", "sdpa", "exact"]
  /// One line for tables.
  public static let summary = "exact, one kernel, memory linear in tokens"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The output, of the query's shape.
  public func attend(_ inputs: AttentionInputs, block: Int, step: StepInfo?) -> Tensor {
    attention(
      query: inputs.query, key: inputs.key, value: inputs.value, mask: inputs.mask,
      bias: inputs.bias, isCausal: inputs.isCausal, scale: inputs.scale)
  }
}
