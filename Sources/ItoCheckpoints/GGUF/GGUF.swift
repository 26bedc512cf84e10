public import ItoTensors

/// A GGUF file.
///
/// F32, F16, BF16 and whole numbers are mapped like those of a safetensors file. Quantized blocks
/// (Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS) become float32 when their tensor is
/// asked for; other types are refused then, by name.
///
/// Axes, which the file lists innermost first, are given in our order, and tensors that were
/// flattened to fit into blocks get back the shape noted under `comfy.gguf.orig_shape.NAME`.
///
/// - Source: ggml, `docs/gguf.md`.
public struct GGUF: TensorSource {
  /// The file's path.
  public let origin: String
  /// The values of all keys as text; arrays of more than 8 elements as their length.
  public let metadata: [String: String]

  private let entries: [GGUFHeader.Entry]
  private let positions: [String: Int]
  private let storage: Storage
  private let mapped: MappedFile?

  /// Opens the file at `path`.
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
    let header = try GGUFHeader(bytes, file: origin)
    self.origin = origin
    metadata = header.metadata
    entries = header.entries
    positions = header.positions
    storage = Storage(viewing: base, byteCount: bytes.count, owner: owner)
    mapped = owner as? MappedFile
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(positions.keys) }

  /// What is stored under each name, in the order of the header.
  public var contents: [StoredTensor] {
    entries.map {
      StoredTensor(name: $0.name, type: $0.type.name, shape: $0.shape, byteCount: $0.byteCount)
    }
  }

  /// The shape of a tensor, outermost axis first.
  public func shape(of key: String) -> Shape? { positions[key].map { entries[$0].shape } }

  /// The element type `tensor` gives: float32 for quantized blocks.
  public func dtype(of key: String) -> DType? {
    guard let position = positions[key] else { return nil }
    switch entries[position].type.reading {
    case .plain(let type): return type.dtype
    case .blocks: return .float32
    case .unsupported: return nil
    }
  }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { mapped.map { [$0] } ?? [] }

  /// Reads a tensor.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let position = positions[key] else { throw .noSuchTensor(key, file: origin) }
    let entry = entries[position]
    try mapped?.checkLength()
    let start = UnsafeRawPointer(storage.base) + entry.start
    switch entry.type.reading {
    case .plain(let type):
      return try type.tensor(key, at: start, entry.shape, owner: storage, file: origin)
    case .blocks(let decode):
      return withExtendedLifetime(storage) { entry.decoded(start, decode) }
    case .unsupported:
      throw .unsupported(
        file: origin,
        reason:
          "its tensor '\(key)' is of type \(entry.type.name), which is not read; use a file of "
          + "Q8_0, Q6_K, Q5_K, Q4_K or the older types")
    }
  }
}

extension GGUFHeader.Entry {
  /// Elements that one task decodes: enough to outweigh handing it out.
  private static let taskSize = 1 << 16

  /// The elements of quantized blocks, decoded on all threads.
  fileprivate func decoded(_ start: UnsafeRawPointer, _ decode: @escaping GGUFType.Decoder)
    -> Tensor
  {
    Tensor(building: shape) { out in
      // Pointers are not Sendable; their addresses are. Tasks write to places of their own.
      let (from, to) = (UInt(bitPattern: start), UInt(bitPattern: out))
      let type = type
      let blocks = shape.count / type.blockCount
      let each = max(1, Self.taskSize / type.blockCount)
      _ = parallelMap((blocks + each - 1) / each) { task in
        let first = task * each
        guard let source = UnsafeRawPointer(bitPattern: from + UInt(first * type.blockSize)),
          let target = UnsafeMutablePointer<Float>(
            bitPattern: to + UInt(first * type.blockCount * MemoryLayout<Float>.size))
        else { return }
        decode(source, min(each, blocks - first), target)
      }
    }
  }
}
