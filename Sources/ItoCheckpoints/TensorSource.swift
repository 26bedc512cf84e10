public import ItoTensors

/// Named tensors that can be read one by one: a file, several, or memory.
public protocol TensorSource: Sendable {
  /// Where they come from, for messages: a path.
  var origin: String { get }
  /// The names of all tensors.
  var keys: Set<String> { get }
  /// Free text stored with them.
  var metadata: [String: String] { get }
  /// What is stored under each name, in the order of storage.
  var contents: [StoredTensor] { get }
  /// The shape of a tensor as stored; nil when there is none of that name.
  func shape(of key: String) -> Shape?
  /// The element type `tensor` gives; nil when there is no such tensor or it cannot be read.
  func dtype(of key: String) -> DType?
  /// The files whose memory its tensors share.
  var mappedFiles: [MappedFile] { get }
  /// Reads a tensor.
  func tensor(_ key: String) throws(CheckpointError) -> Tensor
}

extension TensorSource {
  /// None.
  public var mappedFiles: [MappedFile] { [] }
}

/// A tensor as a file holds it, before anything is read.
public struct StoredTensor: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// The format's own name for its element type.
  public var type: String
  /// Its shape.
  public var shape: Shape
  /// The bytes it takes.
  public var byteCount: Int

  /// A description of a stored tensor.
  public init(name: String, type: String, shape: Shape, byteCount: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.byteCount = byteCount
  }
}

extension TensorSource {

  /// Throws `nonFinite` with every tensor that contains NaN or an infinity, and where. Reads all bytes
  /// once.
  public func checkFinite() throws(CheckpointError) {
    var bad: [String] = []
    for key in keys.sorted() where dtype(of: key)?.isFloatingPoint == true {
      if let place = try tensor(key).nonFinitePlace { bad.append("\(key) at \(place)") }
    }
    if !bad.isEmpty { throw .nonFinite(bad, file: origin) }
  }
}

extension Tensor {
  /// The indices of the first element that is NaN or infinite, `[2, 0, 7]`; nil when there is none.
  var nonFinitePlace: String? {
    if isFinite { return nil }
    guard var rest = scalars.firstIndex(where: { !$0.isFinite }) else { return nil }
    var indices: [Int] = []
    for size in shape.dims.reversed() {
      indices.append(rest % size)
      rest /= size
    }
    return "\(Array(indices.reversed()))"
  }
}

/// Tensors held in memory.
public struct MemorySource: TensorSource {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Free text to go with them.
  public var metadata: [String: String]
  /// What to call this source in messages.
  public var origin: String

  /// A source of `tensors`.
  public init(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], origin: String = "memory"
  ) {
    self.tensors = tensors
    self.metadata = metadata
    self.origin = origin
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(tensors.keys) }

  /// The shape of a tensor.
  public func shape(of key: String) -> Shape? { tensors[key]?.shape }

  /// All tensors by name.
  public var contents: [StoredTensor] {
    tensors.sorted { $0.key < $1.key }.map {
      StoredTensor(
        name: $0, type: $1.dtype.name, shape: $1.shape, byteCount: $1.byteCount)
    }
  }

  /// The element type of a tensor.
  public func dtype(of key: String) -> DType? { tensors[key]?.dtype }

  /// The tensor `key`.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let tensor = tensors[key] else { throw .noSuchTensor(key, file: origin) }
    return tensor.detached()
  }
}
