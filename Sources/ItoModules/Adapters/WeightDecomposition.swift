public import ItoTensors

/// What an adapter that learns lengths apart from directions multiplies a weight's rows or columns
/// by: the learned length over the length of what it has become.
///
/// `W' = m ∘ (W + ΔW) / ‖W + ΔW‖`, with one length for each output, or for each input.
///
/// - Source: Liu et al. 2024, *DoRA*, arXiv:2402.09353, equation 5. LyCORIS takes lengths along
///   inputs unless told otherwise.
public struct WeightDecomposition: Sendable {
  /// `m / ‖W + ΔW‖`: `[out]`, or `[in]` when `isAlongInput`.
  public var factors: Tensor
  /// Whether there is a factor for each input rather than for each output.
  public var isAlongInput: Bool

  /// The factors for a weight that has become `changed`, `[out, …, in]`, with learned lengths
  /// `magnitude`: as many as outputs, or else as inputs.
  public init(magnitude: Tensor, of changed: Tensor, isAlongInput: Bool) {
    let inputs = changed.shape[-1]
    let rows = changed.cast(to: .float32).reshaped(to: [changed.shape.count / inputs, inputs])
    var squares = rows * rows
    if isAlongInput {
      squares = squares.sum(axes: [0])
    } else {
      let outputs = changed.shape[0]
      squares = squares.reshaped(to: [outputs, changed.shape.count / outputs]).sum(axes: [1])
    }
    let lengths = magnitude.cast(to: .float32).reshaped(to: [magnitude.shape.count])
    factors = lengths / squares.sqrt()
    self.isAlongInput = isAlongInput
  }

  /// `weight` with rows or columns of its length changed. `[out, …, in]`
  func scaling(_ weight: Tensor) -> Tensor {
    if isAlongInput { return weight * factors }
    let ones = [Int](repeating: 1, count: weight.shape.rank - 1)
    return weight * factors.reshaped(to: [factors.shape.count] + ones)
  }
}
