public import ItoTensors

/// A model or a part of one: a struct of tensors and child modules.
///
/// A module is a value. Copies share their tensors until one is written, so keeping a second model
/// (an average, a frozen teacher, a per-request variant) costs nothing until it differs.
public protocol Module: Sendable {
  /// Shows every parameter and child to `visitor`, one line each:
  /// `try v.parameter("bias", &bias)`, `try v.child("norm", &norm)`, `try v.children("blocks", &blocks)`.
  ///
  /// Every traversal (load, save, count, optimise, average, transform) goes through here. Tensors
  /// that are not parameters (rotary tables) are not listed.
  mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure)
}

/// Something that walks a module's parameters and may replace them.
public protocol ModuleVisitor {
  /// What `visitParameter` can throw; `Never` for most.
  associatedtype Failure: Error
  /// The path of the parameter being visited; kept by `parameter`, `child` and `children`.
  var path: ModulePath { get set }
  /// Whether it looks at parameters' values; true unless stated. To one that does not, a weight kept in
  /// another layout may show a tensor of undefined values, and what it writes there is lost.
  var readsValues: Bool { get }
  /// Called for every parameter, with its own path.
  mutating func visitParameter(_ tensor: inout Tensor) throws(Failure)
  /// Called for every linear weight; visits its parameters unless overridden.
  mutating func visitWeight(_ weight: inout any WeightMatrix) throws(Failure)
  /// Called for every convolution weight; visits its parameters unless overridden.
  mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(Failure)
  /// Called for every table of vectors; visits its parameter unless overridden.
  mutating func visitTable(_ table: inout Embedding) throws(Failure)
}

extension ModuleVisitor {
  /// True.
  public var readsValues: Bool { true }

  /// Visits the weight's own parameters.
  public mutating func visitWeight(_ weight: inout any WeightMatrix) throws(Failure) {
    try weight.visit(&self)
  }

  /// Visits the weight's own parameters.
  public mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(Failure) {
    try weight.visit(&self)
  }

  /// Visits the table.
  public mutating func visitTable(_ table: inout Embedding) throws(Failure) {
    try parameter("weight", &table.weight)
  }

  /// Visits the parameter `name`.
  public mutating func parameter(_ name: String, _ tensor: inout Tensor) throws(Failure) {
    path.components.append(name)
    defer { path.components.removeLast() }
    try visitParameter(&tensor)
  }

  /// Visits the parameter `name` if there is one.
  public mutating func parameter(_ name: String, _ tensor: inout Tensor?) throws(Failure) {
    guard tensor != nil else { return }
    path.components.append(name)
    defer { path.components.removeLast() }
    // Taken out and put back, so that the only reference is the one being written.
    guard var value = tensor.take() else { return }
    defer { tensor = value }
    try visitParameter(&value)
  }

  /// Visits the child `name`.
  public mutating func child<M: Module>(_ name: String, _ module: inout M) throws(Failure) {
    path.components.append(name)
    defer { path.components.removeLast() }
    try module.visit(&self)
  }

  /// Visits the child `name` if there is one.
  public mutating func child<M: Module>(_ name: String, _ module: inout M?) throws(Failure) {
    guard var value = module.take() else { return }
    defer { module = value }
    try child(name, &value)
  }

  /// Visits what `body` visits with `name` (which may have dots) before its path.
  public mutating func scope(
    _ name: String, _ body: (inout Self) throws(Failure) -> Void
  ) throws(Failure) {
    let outer = path
    path.components += name.split(separator: ".").map(String.init)
    defer { path = outer }
    try body(&self)
  }

  /// Visits `modules` as `name.0`, `name.1`, ….
  public mutating func children<M: Module>(_ name: String, _ modules: inout [M]) throws(Failure) {
    path.components.append(name)
    defer { path.components.removeLast() }
    for i in modules.indices { try child(String(i), &modules[i]) }
  }
}

private struct Collect: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  var found: [(path: ModulePath, tensor: Tensor)] = []
  mutating func visitParameter(_ tensor: inout Tensor) { found.append((path, tensor)) }
}

private struct Map: ModuleVisitor {
  typealias Failure = Never
  var path = ModulePath()
  let body: (ModulePath, Tensor) -> Tensor
  mutating func visitParameter(_ tensor: inout Tensor) { tensor = body(path, tensor) }
}

extension Module {
  /// Every parameter with its path, in visiting order.
  public var parameters: [(path: ModulePath, tensor: Tensor)] {
    var copy = self
    var collect = Collect()
    copy.visit(&collect)
    return collect.found
  }

  /// Number of scalars in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.shape.count } }

  /// The model with every parameter replaced by `body` of it.
  public func mappingParameters(_ body: (ModulePath, Tensor) -> Tensor) -> Self {
    withoutActuallyEscaping(body) { body in
      var copy = self
      var map = Map(body: body)
      copy.visit(&map)
      return copy
    }
  }

  /// The model with matrices and convolution kernels stored as `dtype`. Vectors (biases, norm scales)
  /// stay float32: they cost nothing and lose most.
  public func converted(to dtype: DType) -> Self {
    mappingParameters { _, tensor in
      guard tensor.dtype.isFloatingPoint else { return tensor }
      return tensor.cast(to: tensor.shape.rank >= 2 ? dtype : .float32)
    }
  }
}
