public import ItoTensors

/// Matrices stored in 8 bits with one scale a row: a quarter of float32.
///
/// A tensor `NAME` of int8 elements `[rows, …]` has its scales, float32 `[rows]`, beside it under
/// `NAME_scale`: `value = scale · element`. Elements are −127…127.
///
/// - Error: at most half a scale an element, `max |row| / 254`; for normal rows of some hundred elements
///   about 0.8 % of the row's root mean square.
public enum RowQuantized {
  /// What follows the name of a matrix in that of its scales.
  public static let suffix = "_scale"

  /// `tensors` with every floating-point matrix for which `isIncluded` holds in 8 bits.
  public static func encoding(
    _ tensors: [String: Tensor], where isIncluded: (String) -> Bool = { _ in true }
  ) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, tensor) in tensors {
      guard tensor.shape.rank >= 2, tensor.dtype.isFloatingPoint, isIncluded(name) else {
        result[name] = tensor
        continue
      }
      let (elements, scales) = quantized(tensor)
      result[name] = elements
      result[name + suffix] = scales
    }
    return result
  }

  private static func quantized(_ tensor: Tensor) -> (elements: Tensor, scales: Tensor) {
    let rows = tensor.shape[0], length = tensor.shape.count / max(1, rows)
    let values = tensor.scalars
    var elements = [Int8](repeating: 0, count: values.count)
    var scales = [Float](repeating: 0, count: rows)
    for row in 0..<rows {
      let range = row * length..<(row + 1) * length
      let largest = values[range].reduce(0) { max($0, $1.magnitude) }
      scales[row] = largest / 127
      guard largest > 0 else { continue }
      for i in range {
        elements[i] = Int8(max(-127, min(127, (values[i] * 127 / largest).rounded())))
      }
    }
    return (Tensor(elements, shape: tensor.shape), Tensor(scales, shape: [rows]))
  }

  static func decoded(_ elements: Tensor, _ scales: Tensor) -> Tensor {
    let rows = elements.shape[0], length = elements.shape.count / max(1, rows)
    return Tensor(building: elements.shape) { out in
      reading(elements, scales) { elements, scales in
        for row in 0..<rows {
          let scale = scales.of(Float.self)[row]
          let source = elements.of(Int8.self) + row * length
          let target = out.of(Float.self) + row * length
          for i in 0..<length { target[i] = Float(source[i]) * scale }
        }
      }
    }
  }
}

/// A source whose 8-bit matrices with scales are read as float32; see `RowQuantized`. Other tensors are as
/// they are.
public struct RowQuantizedSource<Base: TensorSource>: TensorSource {
  private let base: Base
  private let scaled: Set<String>

  /// `base`, decoded.
  public init(_ base: Base) {
    self.base = base
    scaled = base.keys.filter { key in
      base.dtype(of: key) == .int8 && (base.shape(of: key)?.rank ?? 0) >= 2
        && base.dtype(of: key + RowQuantized.suffix) == .float32
        && base.shape(of: key + RowQuantized.suffix)?.dims == base.shape(of: key).map { [$0[0]] }
    }
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

  /// The tensor, decoded.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard scaled.contains(key) else { return try base.tensor(key) }
    return RowQuantized.decoded(
      try base.tensor(key), try base.tensor(key + RowQuantized.suffix))
  }
}
