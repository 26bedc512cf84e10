public import ItoTensors

/// A source whose 8-bit matrices with scales are read as float32; see `RowQuantized`. Other tensors are as
/// they are. `Checkpoint.open` puts it around every file that has such matrices.
public struct RowQuantizedSource: TensorSource {
  /// What is decoded: the tensors as they are stored.
  public let base: any TensorSource
  private let scaled: Set<String>

  /// `base`, decoded.
  ///
  /// - Throws: `corrupt` for scales that are no float32 vector of one number a row.
  public init(_ base: any TensorSource) throws(CheckpointError) {
    var scaled: Set<String> = []
    for key in base.keys.sorted() where base.dtype(of: key) == .int8 {
      let name = key + RowQuantized.suffix
      guard let shape = base.shape(of: key), shape.rank >= 2, let found = base.shape(of: name)
      else { continue }
      guard base.dtype(of: name) == .float32, found.dims == [shape[0]] else {
        let type = base.dtype(of: name).map { "\($0)" } ?? "of an unknown type"
        throw .corrupt(
          file: base.origin,
          reason:
            "'\(name)' is \(type) \(found); the scales of an 8-bit matrix \(shape) are float32 "
            + "[\(shape[0])]")
      }
      scaled.insert(key)
    }
    self.base = base
    self.scaled = scaled
  }

  /// `base` decoded; itself, where it has nothing to decode.
  static func decoding(_ base: some TensorSource) throws(CheckpointError) -> any TensorSource {
    let decoded = try RowQuantizedSource(base)
    if decoded.scaled.isEmpty { return base }
    return decoded
  }

  /// Where the tensors come from.
  public var origin: String { base.origin }
  /// All names but those of scales.
  public var keys: Set<String> { base.keys.subtracting(scaled.map { $0 + RowQuantized.suffix }) }
  /// Free text stored with them.
  public var metadata: [String: String] { base.metadata }
  /// What is stored, scales included.
  public var contents: [StoredTensor] { base.contents }
  /// The shape of a tensor.
  public func shape(of key: String) -> Shape? { base.shape(of: key) }
  /// Float32 for what is decoded.
  public func dtype(of key: String) -> DType? {
    scaled.contains(key) ? .float32 : base.dtype(of: key)
  }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { base.mappedFiles }

  /// The tensor, decoded.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard scaled.contains(key) else { return try base.tensor(key) }
    return RowQuantized.decoded(
      try base.tensor(key), try base.tensor(key + RowQuantized.suffix))
  }
}
