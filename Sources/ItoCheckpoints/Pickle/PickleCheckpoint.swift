public import ItoTensors

/// A checkpoint that `torch.save` wrote: `.ckpt`, `.pt`, `.pth` or `.bin`.
///
/// Such a file is a pickle, which Python runs as a program. Here it is only read: the few names
/// that describe tensors are recognised, every other is refused by name, and nothing is ever
/// called. Both layouts are understood, the zip archive of PyTorch 1.6 and later and the older
/// plain one.
///
/// Tensors share the mapped file's memory when their elements lie in our order and at a multiple of
/// their size, as they do in zip archives; others are copied when asked for.
///
/// - Source: PyTorch's `torch/serialization.py`, *Serialization semantics*.
public struct PickleCheckpoint: TensorSource {
  /// The file's path.
  public let origin: String
  /// Numbers and text stored beside the tensors.
  public let metadata: [String: String]
  /// What is stored under each name, in the order of the file.
  public let contents: [StoredTensor]

  private let positions: [String: Int]
  private let places: [Place]
  private let storage: Storage
  private let mapped: MappedFile?

  private struct Place: Sendable {
    var tensor: PickleTensor
    var type: SafeTensorsType
    /// Where its storage begins in the file.
    var start: Int
  }

  /// Opens the file at `path`.
  ///
  /// - Throws: `unsupported` when the pickle asks for anything but tensors, `corrupt` when it breaks
  ///   its format's rules.
  public init(path: String) throws(CheckpointError) {
    let file = try MappedFile(path)
    try self.init(viewing: file.bytes, owner: file, origin: path)
  }

  /// Reads a file's contents in place; `owner` keeps them.
  init(
    viewing bytes: UnsafeRawBufferPointer, owner: AnyObject, origin: String
  ) throws(CheckpointError) {
    guard let base = bytes.baseAddress else {
      throw .corrupt(file: origin, reason: "it is empty")
    }
    let file = try TorchFile(bytes, file: origin)
    var contents: [StoredTensor] = []
    var places: [Place] = []
    // The pickle's budget has them without room to spare.
    contents.reserveCapacity(file.contents.tensors.count)
    places.reserveCapacity(file.contents.tensors.count)
    for (name, tensor) in file.contents.tensors {
      let found = file.storages[tensor.storage]
      let count = tensor.shape.count
      contents.append(
        StoredTensor(
          name: name, type: found.type.rawValue, shape: tensor.shape,
          byteCount: count * found.type.bitWidth / 8))
      places.append(Place(tensor: tensor, type: found.type, start: found.start))
    }
    self.origin = origin
    self.contents = contents
    self.places = places
    positions = file.contents.positions
    metadata = file.contents.metadata
    storage = Storage(viewing: base, byteCount: bytes.count, owner: owner)
    mapped = owner as? MappedFile
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(positions.keys) }

  private func place(of key: String) -> Place? { positions[key].map { places[$0] } }

  /// The shape of a tensor.
  public func shape(of key: String) -> Shape? { place(of: key)?.tensor.shape }

  /// The element type `tensor` gives.
  public func dtype(of key: String) -> DType? { place(of: key)?.type.dtype }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { mapped.map { [$0] } ?? [] }

  /// Reads a tensor.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let place = place(of: key) else { throw .noSuchTensor(key, file: origin) }
    try mapped?.checkLength()
    let size = place.type.bitWidth / 8
    let start = UnsafeRawPointer(storage.base) + place.start + place.tensor.offset * size
    if place.tensor.isContiguous || place.tensor.shape.count == 0 {
      return try place.type.tensor(
        key, at: start, place.tensor.shape, owner: storage, file: origin)
    }
    let ordered = place.tensor.gathered(from: start, elementSize: size)
    return try place.type.tensor(
      key, at: UnsafeRawPointer(ordered.base), place.tensor.shape, owner: ordered, file: origin)
  }
}

extension PickleTensor {
  /// The elements in our order.
  fileprivate func gathered(from start: UnsafeRawPointer, elementSize: Int) -> Storage {
    let result = Storage(byteCount: shape.count * elementSize)
    var index = [Int](repeating: 0, count: shape.rank)
    var place = 0
    for i in 0..<shape.count {
      (result.base + i * elementSize).copyMemory(
        from: start + place * elementSize, byteCount: elementSize)
      var axis = shape.rank - 1
      while axis >= 0 {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape.dims[axis] { break }
        place -= strides[axis] * shape.dims[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }
}
