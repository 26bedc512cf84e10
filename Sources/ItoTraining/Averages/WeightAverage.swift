public import ItoModules
import ItoTensors

/// A copy of a model, float32, that follows it slowly; what is sampled from after training.
///
/// `average ← average + (1 − d)·(model − average)`, d as its profile says.
public struct WeightAverage<M: Module>: Sendable {
  /// The average.
  public internal(set) var model: M
  /// How much the past weighs.
  public let profile: any AveragingProfile
  /// Updates made.
  public internal(set) var updateCount = 0

  /// An average that starts at `model`. Its float32 parameters are averaged; those of other types are
  /// the model's own.
  public init(_ model: M, profile: any AveragingProfile) {
    self.model = model.mappingParameters { $1.detached() }
    self.profile = profile
  }

  /// The share that stays in the next update.
  public var currentDecay: Double { profile.decay(at: updateCount + 1) }

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
