public import ItoModules
public import ItoTensors

/// What an optimizer remembers of a model.
public struct OptimizerMemory: Sendable {
  /// What is remembered of one parameter, float32 and of its shape.
  public struct Entry: Sendable {
    /// Mean of the gradients, or momentum.
    public var first: Tensor?
    /// Mean of the squared gradients.
    public var second: Tensor?
    /// The parameter in float32, when the model's is not.
    public var master: Tensor?

    /// Nothing yet unless given.
    public init(first: Tensor? = nil, second: Tensor? = nil, master: Tensor? = nil) {
      self.first = first
      self.second = second
      self.master = master
    }
  }

  /// Updates made.
  public var stepCount = 0
  /// What is remembered, by parameter.
  public var entries: [ModulePath: Entry] = [:]

  /// Nothing.
  public init() {}

  /// Takes the float32 parameters of `original` as masters of those that `model` holds in another
  /// type and that are trained. A master that was not taken here is made in the first update.
  public mutating func adoptMasters<M: Module>(
    from original: M, for model: M, where isTrainable: (ModulePath) -> Bool = { _ in true }
  ) {
    for (parameter, (_, rounded)) in Swift.zip(original.parameters, model.parameters)
    where rounded.dtype.isFloatingPoint && rounded.dtype != .float32 && isTrainable(parameter.path)
    {
      let master = parameter.tensor.detached().cast(to: .float32)
      entries[parameter.path, default: Entry()].master = master
    }
  }
}

extension OptimizerMemory {
  /// Calls `body` for every parameter that has a gradient, with what is remembered of it, all to be
  /// written in place.
  mutating func update<M: Module>(
    _ model: inout M, with gradients: Gradients,
    _ body: (
      _ path: ModulePath, _ parameter: inout Tensor, _ gradient: Tensor, _ entry: inout Entry
    ) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      // Moved, not copied: a second reference to the entries would have every write copy them.
      var visitor = UpdateVisitor(gradients: gradients, body: body)
      swap(&visitor.entries, &entries)
      model.visit(&visitor)
      swap(&visitor.entries, &entries)
    }
  }
}

private struct UpdateVisitor: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  let gradients: Gradients
  let body: (ModulePath, inout Tensor, Tensor, inout OptimizerMemory.Entry) -> Void
  var entries: [ModulePath: OptimizerMemory.Entry] = [:]

  mutating func visitParameter(_ tensor: inout Tensor) {
    guard let gradient = gradients[path] else { return }
    if tensor.dtype != .float32 && entries[path]?.master == nil {
      entries[path, default: OptimizerMemory.Entry()].master = tensor.cast(to: .float32)
    }
    body(path, &tensor, gradient, &entries[path, default: OptimizerMemory.Entry()])
  }
}
