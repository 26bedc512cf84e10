public import ItoCheckpoints
public import ItoComponents
public import ItoTensors

extension Trainer {
  private static var modelPrefix: String { "model." }
  /// `average.`, `average2.`, …
  private static func averagePrefix(_ index: Int) -> String {
    index == 0 ? "average." : "average\(index + 1)."
  }
  private static var optimizerPrefix: String { "optimizer." }

  /// Every tensor that the next step depends on: `model.PATH` and `average.PATH` (`average2.PATH`, …) in
  /// the layout of published checkpoints, and `optimizer.first.PATH`, `optimizer.second.PATH`,
  /// `optimizer.master.PATH`.
  public var stateTensors: [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (key, tensor) in model.storedTensors { result[Self.modelPrefix + key] = tensor }
    for (index, average) in averages.enumerated() {
      for (key, tensor) in average.model.storedTensors {
        result[Self.averagePrefix(index) + key] = tensor
      }
    }
    for (key, tensor) in optimizer.memory.tensors { result[Self.optimizerPrefix + key] = tensor }
    return result
  }

  /// Everything else that it depends on. The random state is the seed and the step.
  public var state: JSONObject {
    [
      "step": .integer(Int64(stepIndex)),
      "seed": .string(String(options.seed)),
      "skips_in_a_row": .integer(Int64(skipsInARow)),
      "optimizer_steps": .integer(Int64(optimizer.memory.stepCount)),
      "average_updates": .integer(Int64(average?.updateCount ?? 0)),
      "weight_type": .string(options.weightType.name),
    ]
  }

  /// Goes on from what `stateTensors` and `state` were. All or nothing: `self` is unchanged when this
  /// throws.
  public mutating func restore(
    _ state: JSONValue, from source: some TensorSource
  ) throws(TrainingError) {
    func fail(_ reason: String) -> TrainingError {
      .incompatible(file: source.origin, reason: reason)
    }
    func count(_ key: String) throws(TrainingError) -> Int {
      guard let value = state[key]?.int, value >= 0 else {
        throw .corrupt(file: source.origin, reason: "its state has no number '\(key)'")
      }
      return value
    }
    guard state["seed"]?.string == String(options.seed) else {
      throw fail("its seed is \(state["seed"]?.string ?? "missing"), not \(options.seed)")
    }
    guard state["weight_type"]?.string == options.weightType.name else {
      throw fail(
        "its weights are \(state["weight_type"]?.string ?? "of no type"), not \(options.weightType)"
      )
    }
    let saved = Set(source.keys.filter { $0.hasPrefix("average") }.map { $0.prefix { $0 != "." } })
    guard saved.count == averages.count else {
      throw fail("it has \(saved.count) averages of weights, not \(averages.count)")
    }
    var restored = self
    restored.stepIndex = try count("step")
    restored.skipsInARow = try count("skips_in_a_row")
    do throws(CheckpointError) {
      try restored.model.load(from: source, keys: .prefixed(Self.modelPrefix), unused: .others)
      for index in averages.indices {
        try restored.averages[index].model
          .load(from: source, keys: .prefixed(Self.averagePrefix(index)), unused: .others)
      }
    } catch {
      throw .checkpoint(error)
    }
    let updates = try count("average_updates")
    for index in averages.indices { restored.averages[index].updateCount = updates }
    let steps = try count("optimizer_steps")
    restored.optimizer.memory = try OptimizerMemory(
      from: source, prefix: Self.optimizerPrefix, stepCount: steps, for: restored.model,
      where: options.isTrainable)
    self = restored
  }
}

extension UnusedKeys {
  /// The other parts of a training checkpoint.
  fileprivate static var others: UnusedKeys {
    .allow { key in ["model.", "average", "optimizer."].contains { key.hasPrefix($0) } }
  }
}
