public import ItoComponents
public import ItoTensors

/// Attention by whole matrices of scores, from plain tensor operations: what other backends are
/// compared with.
///
/// - Cost: memory for `batch · heads · tokens · keys` scores, several times over.
public struct ReferenceAttention: AttentionBackend, Configurable {
  /// Its name in the registry.
  public static let name = "reference"
  /// One line for tables.
  public static let summary = "whole score matrices, for comparison"

  /// There is nothing to set.
  public init() {}
  /// There are no options.
  public init(options: inout OptionReader) throws(OptionError) {}

  /// The output, of the query's shape.
  public func attend(_ inputs: AttentionInputs, block: Int, step: StepInfo?) -> Tensor {
    let groups = inputs.query.shape[2] / inputs.key.shape[2]
    func headsFirst(_ x: Tensor) -> Tensor { x.permuted(0, 2, 1, 3) }
    // Consecutive query heads share a key head.
    func spread(_ x: Tensor) -> Tensor {
      guard groups > 1 else { return headsFirst(x) }
      return Tensor.stacked([Tensor](repeating: headsFirst(x), count: groups), axis: 2)
        .flattened(from: 1, through: 2)
    }
    let scale = inputs.scale ?? 1 / Double(inputs.query.shape[3]).squareRoot()
    var scores = scale * headsFirst(inputs.query).matmul(spread(inputs.key), transposed: true)
    if let bias = inputs.bias { scores = scores + bias }
    let visible = visibility(inputs)
    let hidden = visible.map { -1e30 * (1 - $0) }
    if let hidden { scores = scores + hidden }
    let peak = scores.detached().max(axes: [-1], keepingAxes: true)
    var weights = (scores - peak).exp()
    if let visible { weights = weights * visible }
    // A token that sees nothing gives zeros.
    let sum = Tensor.maximum(weights.sum(axes: [-1], keepingAxes: true), Tensor(scalar: 1e-30))
    let mixed = (weights / sum).cast(to: inputs.value.dtype).matmul(spread(inputs.value))
    return mixed.permuted(0, 2, 1, 3)
  }

  /// 1 where a token sees a key, else 0; `[batch or 1, 1, tokens or 1, keys]`, nil when all see all.
  private func visibility(_ inputs: AttentionInputs) -> Tensor? {
    let (tokens, keys) = (inputs.query.shape[1], inputs.key.shape[1])
    var visible = inputs.mask.map {
      $0.cast(to: .float32).reshaped(to: [$0.shape[0], 1, 1, keys])
    }
    if inputs.isCausal {
      let values = (0..<tokens).flatMap { token in (0..<keys).map { Float($0 <= token ? 1 : 0) } }
      let lower = Tensor(values, shape: [1, 1, tokens, keys])
      visible = visible.map { $0 * lower } ?? lower
    }
    return visible
  }
}
