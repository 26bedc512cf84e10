import ItoComponents
public import ItoTensors

/// A safetensors file.
///
/// Every rule of the format is checked when the file is opened and its contents are never trusted:
/// the header's length, well-formed JSON without duplicate keys, shapes that overflow, and tensors
/// that fill the data from its first to its last byte without holes or overlaps.
///
/// Tensors share the mapped file's memory (no copy, no wait until they are used) when their type
/// needs no conversion and their place in the file is a multiple of the element size.
///
/// - Source: the format's specification and reference implementation, version 0.8,
///   https://github.com/huggingface/safetensors
public struct SafeTensors: TensorSource {
  /// The file's path.
  public let origin: String
  /// All tensors, in the order of their data.
  public let entries: [SafeTensorsEntry]
  /// Free text stored with them.
  public let metadata: [String: String]

  private let positions: [String: Int]
  private let storage: Storage
  private let dataStart: Int
  private let mapped: MappedFile?

  /// Opens the file at `path`.
  ///
  /// - Parameter mapped: Share memory with the file, which must then not be cut short while its
  ///   tensors are in use (replacing it by renaming is fine). `false` copies it.
  public init(path: String, mapped: Bool = true) throws(CheckpointError) {
    let file = try MappedFile(path)
    if mapped {
      try self.init(viewing: file.bytes, owner: file, origin: path)
    } else {
      try self.init(copying: file.bytes, origin: path)
    }
  }

  /// Reads a file's contents from memory.
  ///
  /// - Parameter origin: what to call it in messages.
  public init(bytes: [UInt8], origin: String = "memory") throws(CheckpointError) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try SafeTensors(copying: UnsafeRawBufferPointer(bytes), origin: origin)
    }
  }

  private init(copying bytes: UnsafeRawBufferPointer, origin: String) throws(CheckpointError) {
    let storage = Storage(byteCount: bytes.count)
    let copy = UnsafeMutableRawBufferPointer(start: storage.base, count: bytes.count)
    copy.copyMemory(from: bytes)
    try self.init(viewing: UnsafeRawBufferPointer(copy), owner: storage, origin: origin)
  }

  /// Reads a file's contents in place; `owner` keeps them.
  init(
    viewing bytes: UnsafeRawBufferPointer, owner: AnyObject, origin: String
  ) throws(CheckpointError) {
    let header = try SafeTensorsHeader(bytes, file: origin)
    guard let base = bytes.baseAddress else { trap("a file with a header has bytes") }
    self.origin = origin
    storage = Storage(viewing: base, byteCount: bytes.count, owner: owner)
    mapped = owner as? MappedFile
    entries = header.entries
    metadata = header.metadata
    dataStart = header.dataStart
    positions = Dictionary(
      uniqueKeysWithValues: header.entries.enumerated().lazy.map { ($1.name, $0) })
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(positions.keys) }

  /// What is stored under each name, in the order of the file.
  public var contents: [StoredTensor] {
    entries.map {
      StoredTensor(
        name: $0.name, type: $0.type.rawValue, shape: $0.shape, byteCount: $0.range.count)
    }
  }

  /// What the file says about a tensor.
  public func entry(_ key: String) -> SafeTensorsEntry? { positions[key].map { entries[$0] } }

  /// The shape of a tensor as stored.
  public func shape(of key: String) -> Shape? { entry(key)?.shape }

  /// The element type `tensor` gives.
  public func dtype(of key: String) -> DType? { entry(key)?.type.dtype }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { mapped.map { [$0] } ?? [] }

  /// Reads a tensor. See `SafeTensorsType.dtype` for the types that are converted.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let entry = entry(key) else { throw .noSuchTensor(key, file: origin) }
    try mapped?.checkLength()
    let start = UnsafeRawPointer(storage.base) + dataStart + entry.range.lowerBound
    return try entry.type.tensor(
      entry.name, at: start, entry.shape, owner: storage, file: origin)
  }
}
