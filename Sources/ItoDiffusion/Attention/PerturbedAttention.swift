import ItoTensors
import Synchronization

/// Attention in which every token of the chosen blocks sees only itself, so that the output is the
/// value. Cross-attention, whose keys are not the queries' tokens, is left as it is.
///
/// - Source: Ahn et al. 2024, *Self-Rectifying Diffusion Sampling with Perturbed-Attention Guidance*,
///   arXiv:2403.17377, section 4.
struct PerturbedAttention: AttentionBackend {
  /// Computes the other blocks.
  let base: any AttentionBackend
  /// The blocks perturbed.
  let blocks: BlockSelection
  /// Told each time.
  let hits: HitCounter

  func attend(_ inputs: AttentionInputs, block: Int, step: StepInfo?) -> Tensor {
    let isSelfAttention = inputs.key.shape[1] == inputs.query.shape[1]
    guard isSelfAttention, blocks.contains(block) else {
      return base.attend(inputs, block: block, step: step)
    }
    hits.add()
    let (heads, keyHeads) = (inputs.query.shape[2], inputs.value.shape[2])
    guard heads != keyHeads else { return inputs.value }
    // Consecutive query heads share a key head.
    let copies = [Tensor](repeating: inputs.value, count: heads / keyHeads)
    return Tensor.stacked(copies, axis: 3).flattened(from: 2, through: 3)
  }
}

/// Counts how often something happened.
final class HitCounter: Sendable {
  private let value = Atomic<Int>(0)

  var count: Int { value.load(ordering: .relaxed) }

  func add() { value.wrappingAdd(1, ordering: .relaxed) }
}
