import ItoTensors
import Synchronization

/// Double precision beside float32: repeats every linear combination of a run on the values its tensors stand
/// for, with the coefficients as the solver computed them.
///
/// Solvers of ordinary steps do nothing to samples but combine them, so that what they compute is known to the
/// precision of their coefficients, where float32 samples end at 1e-6.
final class DoubleShadow: CombinationObserver {
  private struct Entry {
    // Kept, so that no other tensor takes its place in memory.
    let tensor: Tensor
    let values: [Double]
  }

  private struct State {
    var entries: [ObjectIdentifier: Entry] = [:]
    var strangers = 0
  }

  private let state = Mutex(State())

  /// How many tensors were asked for that no combination made; a run with any is not in double precision.
  var strangers: Int { state.withLock { $0.strangers } }

  /// A tensor that stands for `values`.
  func tensor(_ values: [Double]) -> Tensor {
    let tensor = Tensor(values.map { Float($0) }, shape: [values.count, 1])
    remember(values, of: tensor)
    return tensor
  }

  /// What `tensor` stands for.
  func values(of tensor: Tensor) -> [Double] {
    state.withLock { state in
      if let entry = state.entries[ObjectIdentifier(tensor.storage)] { return entry.values }
      state.strangers += 1
      return tensor.scalars.map { Double($0) }
    }
  }

  func combined(_ terms: [(coefficient: Double, tensor: Tensor)], into result: Tensor) {
    var sum = [Double](repeating: 0, count: result.shape.count)
    for term in terms {
      for (index, value) in values(of: term.tensor).enumerated() {
        sum[index] += term.coefficient * value
      }
    }
    remember(sum, of: result)
  }

  private func remember(_ values: [Double], of tensor: Tensor) {
    state.withLock {
      $0.entries[ObjectIdentifier(tensor.storage)] = Entry(tensor: tensor, values: values)
    }
  }
}
