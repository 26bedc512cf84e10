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
  /// As `matrices` of the type to compute in, but half precision that is to be computed with in float32
  /// stays as the file has it, and is widened when a layer runs (see `HalfWeight`): the same results.
  case computing(DType)

  /// The type that parameters of two axes and more are converted to; nil for none.
  fileprivate func matrixType(_ current: DType) -> DType? {
    switch self {
    case .parameter: current
    case .file: nil
    case .matrices(let type), .computing(let type): type
    }
  }
  /// The type that vectors are converted to; nil for none.
  fileprivate func vectorType(_ current: DType) -> DType? {
    switch self {
    case .parameter: current
    case .file: nil
    case .matrices, .computing: .float32
    }
  }
  /// Whether a weight of the file's type `type` stays as it is and is widened when used.
  fileprivate func widens(_ type: DType) -> Bool {
    self == .computing(.float32) && (type == .bfloat16 || type == .float16)
  }
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
  ///   - checksFinite: refuse NaN and infinities, naming tensors and places. Bytes that are shared with a
  ///     mapped file (`.file`, `.computing`) are not read for this: they are searched when a layer first
  ///     uses them, and `MappedFile.hasNonFinite` tells. Others are read once.
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
  /// Whether the parameter is a weight that says itself what it computes in.
  private var isUsedByLayer = false

  init(source: Source, keys: KeyMap, dtype: LoadedType, checksFinite: Bool) {
    self.source = source
    self.keys = keys
    self.dtype = dtype
    self.checksFinite = checksFinite
  }

  mutating func visitWeight(_ weight: inout any WeightMatrix) throws(CheckpointError) {
    isUsedByLayer = weight is DenseWeight || weight is HalfWeight
    defer { isUsedByLayer = false }
    try weight.visit(&self)
    if let values = (weight as? DenseWeight)?.values, dtype.widens(values.dtype) {
      weight = HalfWeight(values)
    }
  }

  mutating func visitTable(_ table: inout Embedding) throws(CheckpointError) {
    isUsedByLayer = true
    defer { isUsedByLayer = false }
    try parameter("weight", &table.weight)
    table.vectorType = dtype.widens(table.weight.dtype) ? .float32 : nil
  }

  mutating func visitWeight(_ weight: inout any ConvolutionWeight) throws(CheckpointError) {
    isInKernel = true
    defer { isInKernel = false }
    if weight is DenseKernel || weight is PublishedKernel, let published = try publishedKernel() {
      weight = published
    } else {
      try weight.visit(&self)
    }
  }

  /// The kernel at `path` as the file has it, nil where it must be copied anyway.
  private mutating func publishedKernel() throws(CheckpointError) -> PublishedKernel? {
    path.components.append("weight")
    defer { path.components.removeLast() }
    guard case .whole(let key) = keys.source(path), source.shape(of: key)?.rank == 4,
      let type = source.dtype(of: key), type.isFloatingPoint, dtype != .parameter
    else { return nil }
    let widens = dtype.widens(type)
    let isOurs = type == .float32 || type == .bfloat16
    guard widens || isOurs && (dtype == .file || dtype.matrixType(type) == type) else { return nil }
    let value = try source.tensor(key)
    guard widens || value.storage.isMapped else { return nil }
    note(value, key, as: value, isRead: dtype == .file)
    return PublishedKernel(value, computing: widens ? .float32 : nil)
  }

  /// Counts a tensor as loaded, and remembers it if it must be finite and is not.
  ///
  /// - Parameter isRead: whether to look at what a layer will look at when it runs.
  private mutating func note(_ stored: Tensor, _ key: String, as value: Tensor, isRead: Bool) {
    if checksFinite, isRead, let place = stored.nonFinitePlace {
      nonFinite.append("\(key) at \(place)")
    }
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
    if isInKernel { value = value.fromPublishedKernel() }
    if value.dtype.isFloatingPoint, !(isUsedByLayer && dtype.widens(value.dtype)) {
      let isMatrix = value.shape.rank >= 2
      let type = isMatrix ? dtype.matrixType(tensor.dtype) : dtype.vectorType(tensor.dtype)
      value = value.cast(to: type ?? value.dtype)
    }
    var isDeferred = false
    if case .computing = dtype { isDeferred = isUsedByLayer && value.storage.isMapped }
    note(stored, place.key, as: value, isRead: !isDeferred)
    // Of what was converted the file's pages are no longer needed.
    if value.dtype != stored.dtype || isInKernel { stored.storage.releasePages() }
    tensor = value
  }
}
