public import ItoTensors

/// Tensors of another source under other names, cut out of larger ones, transposed or reshaped.
///
/// It makes a checkpoint of one naming look like one of another, so that a model needs to know a
/// single set of names.
public struct RenamedSource: TensorSource {
  /// How a tensor comes about.
  public struct Recipe: Sendable, Hashable {
    /// Which tensors of the other source, or parts of them; more than one are joined along their
    /// first axis.
    public var places: [KeySource]
    /// Whether its two axes change places.
    public var isTransposed: Bool
    /// How many axes it has in the end, by dropping or adding axes of size 1 at the end.
    public var rank: Int?

    /// A recipe: cut, join, transpose, and adjust the number of axes, in this order.
    public init(_ places: KeySource..., isTransposed: Bool = false, rank: Int? = nil) {
      self.places = places
      self.isTransposed = isTransposed
      self.rank = rank
    }
  }

  /// Where the tensors come from.
  public let origin: String
  /// Free text of the other source.
  public let metadata: [String: String]
  private let base: any TensorSource
  private let recipes: [String: Recipe]

  /// The tensors of `base` that `recipes` describe, by their new names.
  public init(_ base: any TensorSource, _ recipes: [String: Recipe]) {
    self.base = base
    self.recipes = recipes
    origin = base.origin
    metadata = base.metadata
  }

  /// The new names.
  public var keys: Set<String> { Set(recipes.keys) }

  /// What is stored, by the new names.
  public var contents: [StoredTensor] {
    let stored = Dictionary(base.contents.map { ($0.name, $0) }) { first, _ in first }
    return recipes.sorted { $0.key < $1.key }.compactMap { name, recipe in
      guard let key = recipe.places.first?.key, let whole = stored[key],
        let shape = shape(of: name)
      else { return nil }
      return StoredTensor(
        name: name, type: whole.type, shape: shape,
        byteCount: whole.shape.count == 0
          ? 0 : Int(Double(whole.byteCount) * Double(shape.count) / Double(whole.shape.count)))
    }
  }

  /// The shape of a tensor as the recipe gives it; nil when the other source lacks what it is made
  /// of or it cannot be cut and joined that way.
  public func shape(of key: String) -> Shape? {
    guard let recipe = recipes[key] else { return nil }
    var result: Shape?
    for place in recipe.places {
      guard let shape = shape(of: place) else { return nil }
      guard var joined = result else {
        result = shape
        continue
      }
      guard joined.rank > 0, joined.dims.dropFirst() == shape.dims.dropFirst() else { return nil }
      joined[0] += shape[0]
      result = joined
    }
    guard var shape = result else { return nil }
    if recipe.isTransposed {
      guard shape.rank == 2 else { return nil }
      shape = Shape(shape.dims.reversed())
    }
    return recipe.rank.map { shape.withRank($0) } ?? shape
  }

  private func shape(of place: KeySource) -> Shape? {
    guard var shape = base.shape(of: place.key) else { return nil }
    if case .part(_, let axis, let index, let count) = place {
      guard (0..<shape.rank).contains(axis), (0..<count).contains(index), shape[axis] % count == 0
      else { return nil }
      shape[axis] /= count
    }
    return shape
  }

  /// The element type of a tensor.
  public func dtype(of key: String) -> DType? {
    (recipes[key]?.places.first?.key).flatMap { base.dtype(of: $0) }
  }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { base.mappedFiles }

  /// Reads a tensor.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let recipe = recipes[key], let shape = shape(of: key) else {
      throw .noSuchTensor(key, file: origin)
    }
    var parts: [Tensor] = []
    for place in recipe.places {
      var part = try base.tensor(place.key)
      if case .part(_, let axis, let index, let count) = place {
        part = part.part(index, of: count, axis: axis)
      }
      parts.append(part)
    }
    var value = parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 0)
    if recipe.isTransposed { value = value.permuted([1, 0]) }
    return value.shape == shape ? value : value.reshaped(to: shape)
  }
}

extension Shape {
  /// This shape with `rank` axes: axes of size 1 dropped from or added to the end. Unchanged when
  /// that cannot be.
  fileprivate func withRank(_ rank: Int) -> Shape {
    var dims = dims
    while dims.count > rank, dims.last == 1 { dims.removeLast() }
    while dims.count < rank { dims.append(1) }
    return dims.count == rank ? Shape(dims) : self
  }
}
