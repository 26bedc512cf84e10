public import ItoTensors

/// A source whose matrices and kernels are offered in 8 bits with their scales, to be written so; see
/// `RowQuantized`.
///
/// Biases, norms, single rows and matrices of short rows stay as they are: their scales would take as much
/// as they save. What `base` decodes from 8 bits is passed on as it is stored, so nothing is rounded twice.
///
/// - Cost: a matrix is encoded when it is asked for, and once more for its scales.
public struct RowQuantizingSource: TensorSource {
  /// Rows of fewer elements stay as they are.
  public static let shortestRow = 16

  private let base: any TensorSource
  private let chosen: Set<String>

  /// `base`, encoded.
  public init(_ base: any TensorSource) {
    let stored = (base as? RowQuantizedSource)?.base ?? base
    let keys = stored.keys
    self.base = stored
    chosen = keys.filter { key in
      guard let shape = stored.shape(of: key), shape.rank >= 2, shape[0] > 1,
        stored.dtype(of: key)?.isFloatingPoint == true
      else { return false }
      return shape.count / shape[0] >= Self.shortestRow
        && !keys.contains(key + RowQuantized.suffix)
    }
  }

  /// The matrix whose scales `key` names.
  private func matrix(scaledBy key: String) -> String? {
    guard key.hasSuffix(RowQuantized.suffix) else { return nil }
    let name = String(key.dropLast(RowQuantized.suffix.count))
    return chosen.contains(name) ? name : nil
  }

  /// Where the tensors come from.
  public var origin: String { base.origin }
  /// All names, those of scales included.
  public var keys: Set<String> { base.keys.union(chosen.map { $0 + RowQuantized.suffix }) }
  /// Free text stored with them.
  public var metadata: [String: String] { base.metadata }

  /// What will be stored.
  public var contents: [StoredTensor] {
    base.contents.flatMap { tensor -> [StoredTensor] in
      guard chosen.contains(tensor.name) else { return [tensor] }
      let (shape, rows) = (tensor.shape, tensor.shape[0])
      return [
        StoredTensor(name: tensor.name, type: "I8", shape: shape, byteCount: shape.count),
        StoredTensor(
          name: tensor.name + RowQuantized.suffix, type: "F32", shape: [rows], byteCount: 4 * rows),
      ]
    }
  }

  /// The shape of a tensor.
  public func shape(of key: String) -> Shape? {
    guard let name = matrix(scaledBy: key) else { return base.shape(of: key) }
    return base.shape(of: name).map { [$0[0]] }
  }

  /// int8 for what is encoded, float32 for its scales.
  public func dtype(of key: String) -> DType? {
    if chosen.contains(key) { return .int8 }
    return matrix(scaledBy: key) == nil ? base.dtype(of: key) : .float32
  }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { base.mappedFiles }

  /// The tensor as it will be stored.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    if chosen.contains(key) { return RowQuantized.encoded(try base.tensor(key)).elements }
    guard let name = matrix(scaledBy: key) else { return try base.tensor(key) }
    return RowQuantized.encoded(try base.tensor(name)).scales
  }
}
