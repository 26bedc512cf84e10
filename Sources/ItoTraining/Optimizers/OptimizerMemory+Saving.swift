public import ItoCheckpoints
public import ItoModules
public import ItoTensors

extension OptimizerMemory {
  private static let parts:
    [(name: String, field: any WritableKeyPath<Entry, Tensor?> & Sendable)] = [
      ("first", \.first), ("second", \.second), ("master", \.master),
    ]

  /// Everything remembered, as `first.PATH`, `second.PATH` and `master.PATH`.
  public var tensors: [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (path, entry) in entries {
      for (name, field) in Self.parts {
        if let tensor = entry[keyPath: field] { result["\(name).\(path)"] = tensor }
      }
    }
    return result
  }

  /// What `tensors` was, read from the names in `source` that begin with `prefix`.
  ///
  /// - Throws: when a tensor belongs to no parameter of `model` or does not fit it, or the master of a
  ///   trained one is missing.
  public init<M: Module>(
    from source: some TensorSource, prefix: String, stepCount: Int, for model: M,
    where isTrainable: (ModulePath) -> Bool = { _ in true }
  ) throws(TrainingError) {
    self.stepCount = stepCount
    let parameters = Dictionary(
      model.parameters.map { ($0.path, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    func fail(_ reason: String) -> TrainingError {
      .incompatible(file: source.origin, reason: reason)
    }
    for key in source.keys.sorted() where key.hasPrefix(prefix) {
      let name = key.dropFirst(prefix.count)
      guard let part = Self.parts.first(where: { name.hasPrefix($0.name + ".") }) else {
        throw fail("it has a tensor '\(key)' of unknown meaning")
      }
      let path = ModulePath(String(name.dropFirst(part.name.count + 1)))
      guard let parameter = parameters[path] else {
        throw fail("its optimizer remembers '\(path)', which the model does not have")
      }
      let tensor: Tensor
      do throws(CheckpointError) { tensor = try source.tensor(key) } catch {
        throw .checkpoint(error)
      }
      guard tensor.shape == parameter.shape, tensor.dtype == .float32 else {
        throw fail("'\(key)' is \(tensor.dtype) \(tensor.shape), not float32 \(parameter.shape)")
      }
      entries[path, default: Entry()][keyPath: part.field] = tensor
    }
    for (path, parameter) in parameters
    where parameter.dtype.isFloatingPoint && parameter.dtype != .float32 && isTrainable(path) {
      guard entries[path]?.master != nil else {
        throw fail("it lacks the float32 master of '\(path)'")
      }
    }
  }
}
