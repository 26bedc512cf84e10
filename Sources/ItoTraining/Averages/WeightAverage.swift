public import ItoModules
import ItoTensors

/// A copy of a model, float32, that follows it slowly; what is sampled from after training.
///
/// `average ← average + (1 − d)·(model − average)`, d rising from 0.1 to `decay` as
/// `min(decay, (1 + t) / (10 + t))` over the updates t, so that the first weights are soon forgotten.
///
/// - Source: Polyak & Juditsky 1992, *Acceleration of Stochastic Approximation by Averaging*,
///   doi:10.1137/0330046; the warm-up is that of TensorFlow's `ExponentialMovingAverage`.
public struct ExponentialAverage<M: Module>: Sendable {
  /// The average.
  public internal(set) var model: M
  /// The share that stays, once warm.
  public var decay: Double
  /// Whether the decay rises.
  public var warmsUp: Bool
  /// Updates made.
  public internal(set) var updateCount = 0

  /// An average that starts at `model`. Its float32 parameters are averaged; those of other types are
  /// the model's own.
  public init(_ model: M, decay: Double, warmsUp: Bool = true) {
    self.model = model.mappingParameters { $1.detached() }
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// The share that stays in the next update.
  public var currentDecay: Double {
    warmsUp ? min(decay, Double(1 + updateCount) / Double(10 + updateCount)) : decay
  }

  /// Moves the average toward `newer`, in place.
  ///
  /// - Parameter memory: where the float32 masters of parameters of other types are.
  public mutating func absorb(_ newer: M, memory: OptimizerMemory = OptimizerMemory()) {
    var visitor = Follow(newer: newer.parameters, memory: memory, decay: currentDecay)
    model.visit(&visitor)
    updateCount += 1
  }
}

private struct Follow: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  let newer: [(path: ModulePath, tensor: Tensor)]
  let memory: OptimizerMemory
  let decay: Double
  private var position = 0

  init(newer: [(path: ModulePath, tensor: Tensor)], memory: OptimizerMemory, decay: Double) {
    self.newer = newer
    self.memory = memory
    self.decay = decay
  }

  mutating func visitParameter(_ tensor: inout Tensor) {
    // Both models are visited in the same order.
    let value = newer[position]
    position += 1
    guard tensor.dtype == .float32 else {
      tensor = value.tensor
      return
    }
    // A parameter that was never written shares its buffer with the average.
    if tensor.storageAddress == value.tensor.storageAddress { return }
    let exact =
      value.tensor.dtype == .float32
      ? value.tensor
      : memory.entries[value.path]?.master ?? value.tensor.cast(to: .float32)
    tensor.follow(exact, decay: decay)
  }
}
