public import ItoModules
public import ItoTensors

/// What to do with tensors in a file that the model has no use for.
public enum UnusedKeys: Sendable {
  /// Refuse the file.
  case fail
  /// Accept those for which the closure holds, refuse the file for others.
  case allow(@Sendable (String) -> Bool)
}

/// The element type that loaded parameters get. Only floating-point types are converted into each
/// other; integers must be in the file as the model has them.
public enum LoadedType: Sendable, Hashable {
  /// That of the parameter before loading.
  case parameter
  /// That of the file: no conversion, and no copy where the file's layout is ours.
  case file
  /// The given one for parameters of two axes and more; float32 for vectors, as
  /// `Module.converted(to:)`.
  case matrices(DType)
}

/// What was loaded.
public struct LoadReport: Sendable, Hashable {
  /// Number of parameters filled.
  public var loaded: Int
  /// Number of scalars in them.
  public var scalarCount: Int
  /// Names in the file that were not used, with permission, sorted.
  public var ignored: [String]
}

extension Module {
  /// Fills every parameter from `source`. All or nothing: `self` is unchanged when this throws.
  ///
  /// Every parameter must be found with its shape, and every tensor used unless `unused` allows
  /// otherwise; the error lists all disagreements, not the first. Kernels of convolutions, which
  /// are `[out, in / groups, height, width]` in the file, are turned into our
  /// `[out, height, width, in / groups]`.
  ///
  /// - Parameters:
  ///   - keys: where each parameter is.
  ///   - dtype: the element type parameters get.
  ///   - unused: which tensors may be left over.
  ///   - checksFinite: refuse NaN and infinities, naming the tensors; reads all bytes once.
  @discardableResult
  public mutating func load(
    from source: some TensorSource, keys: KeyMap = .identity, dtype: LoadedType = .parameter,
    unused: UnusedKeys = .fail, checksFinite: Bool = false
  ) throws(CheckpointError) -> LoadReport {
    var copy = self
    var inspector = LoadInspector(source: source, keys: keys)
    try copy.visit(&inspector)
    let ignored = inspector.findUnused(allowing: unused)
    guard inspector.mismatch.isEmpty else {
      throw .mismatch(inspector.mismatch, file: source.origin)
    }
    var loader = Loader(source: source, keys: keys, dtype: dtype, checksFinite: checksFinite)
    try copy.visit(&loader)
    guard loader.nonFinite.isEmpty else {
      throw .nonFinite(loader.nonFinite, file: source.origin)
    }
    self = copy
    return LoadReport(loaded: loader.loaded, scalarCount: loader.scalarCount, ignored: ignored)
  }
}

/// Compares the whole model with the source before anything is read.
private struct LoadInspector<Source: TensorSource>: ModuleVisitor {
  typealias Failure = CheckpointError

  /// One way of cutting a tensor: along an axis into a number of parts.
  struct Cut: Hashable {
    var axis: Int
    var count: Int
  }

  var path = ModulePath()
  let source: Source
  let keys: KeyMap
  var mismatch = LoadMismatch()
  private var used: [String: [Cut: Set<Int>]] = [:]
  private var isInKernel = false

  init(source: Source, keys: KeyMap) {
    self.source = source
    self.keys = keys
  }

  mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(CheckpointError) {
    isInKernel = true
    defer { isInKernel = false }
    try weight.visit(&self)
  }

  mutating func visitParameter(_ tensor: inout Tensor) throws(CheckpointError) {
    let place = keys.source(path)
    guard let found = source.shape(of: place.key) else {
      mismatch.missing.append(.init(path: path.description, key: place.key))
      return
    }
    var expected = isInKernel ? tensor.shape.publishedKernel : tensor.shape
    switch place {
    case .whole(let key): used[key, default: [:]][Cut(axis: 0, count: 1), default: []] = [0]
    case .part(let key, let axis, let index, let count):
      require(
        (0..<expected.rank).contains(axis) && (0..<count).contains(index),
        "\(path): part \(index) of \(count) along axis \(axis) of a tensor like \(expected)")
      used[key, default: [:]][Cut(axis: axis, count: count), default: []].insert(index)
      expected[axis] *= count
    }
    guard let dtype = source.dtype(of: place.key) else {
      // Says which element type cannot be read.
      _ = try source.tensor(place.key)
      return
    }
    let isConvertible = dtype.isFloatingPoint && tensor.dtype.isFloatingPoint
    guard found == expected, isConvertible || dtype == tensor.dtype else {
      mismatch.different.append(
        .init(
          path: path.description, key: place.key, expected: "\(tensor.dtype) \(expected)",
          found: "\(dtype) \(found)"))
      return
    }
  }

  /// Notes what is left over and not allowed to be; returns what is allowed.
  mutating func findUnused(allowing unused: UnusedKeys) -> [String] {
    var ignored: [String] = []
    for key in source.keys.sorted() {
      let cuts = used[key] ?? [:]
      if cuts.contains(where: { $1.count == $0.count }) { continue }
      if case .allow(let isAllowed) = unused, isAllowed(key) {
        ignored.append(key)
      } else if let (cut, parts) = cuts.first {
        let rest = (0..<cut.count).filter { !parts.contains($0) }.map(String.init)
        mismatch.unused.append("\(key) (part \(rest.joined(separator: ", ")) of \(cut.count))")
      } else {
        mismatch.unused.append(key)
      }
    }
    return ignored
  }
}

private struct Loader<Source: TensorSource>: ModuleVisitor {
  typealias Failure = CheckpointError
  var path = ModulePath()
  let source: Source
  let keys: KeyMap
  let dtype: LoadedType
  let checksFinite: Bool
  var loaded = 0
  var scalarCount = 0
  var nonFinite: [String] = []
  private var isInKernel = false

  init(source: Source, keys: KeyMap, dtype: LoadedType, checksFinite: Bool) {
    self.source = source
    self.keys = keys
    self.dtype = dtype
    self.checksFinite = checksFinite
  }

  mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(CheckpointError) {
    isInKernel = true
    defer { isInKernel = false }
    if weight is DenseKernel || weight is PublishedKernel, dtype != .parameter,
      let published = try publishedKernel()
    {
      weight = PublishedKernel(published)
    } else {
      try weight.visit(&self)
    }
  }

  /// The kernel at `path` as the file has it, nil where it must be copied anyway or is in our order too.
  private mutating func publishedKernel() throws(CheckpointError) -> Tensor? {
    path.components.append("weight")
    defer { path.components.removeLast() }
    guard case .whole(let key) = keys.source(path), let shape = source.shape(of: key),
      shape.rank == 4, shape[2] * shape[3] > 1, let type = source.dtype(of: key),
      type == .float32 || type == .bfloat16, dtype == .file || dtype == .matrices(type)
    else { return nil }
    let value = try source.tensor(key)
    guard value.storage.isMapped else { return nil }
    note(value, key)
    return value
  }

  /// Counts a tensor as loaded, and remembers it if it must be finite and is not.
  private mutating func note(_ value: Tensor, _ key: String) {
    if checksFinite && !value.isFinite { nonFinite.append(key) }
    loaded += 1
    scalarCount += value.shape.count
  }

  mutating func visitParameter(_ tensor: inout Tensor) throws(CheckpointError) {
    let place = keys.source(path)
    let stored = try source.tensor(place.key)
    var value = stored
    if case .part(_, let axis, let index, let count) = place {
      value = value.part(index, of: count, axis: axis)
    }
    note(value, place.key)
    if isInKernel { value = value.fromPublishedKernel() }
    if value.dtype.isFloatingPoint {
      switch dtype {
      case .parameter: value = value.cast(to: tensor.dtype)
      case .file: break
      case .matrices(let type): value = value.cast(to: value.shape.rank >= 2 ? type : .float32)
      }
    }
    // Of what was converted the file's pages are no longer needed.
    if value.dtype != stored.dtype || isInKernel { stored.storage.releasePages() }
    tensor = value
  }
}
