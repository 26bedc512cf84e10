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
      let (elements, scales) = encoded(tensor)
      result[name] = elements
      result[name + suffix] = scales
    }
    return result
  }

  /// A floating-point matrix in 8 bits: int8 of its shape, and float32 `[rows]`.
  static func encoded(_ tensor: Tensor) -> (elements: Tensor, scales: Tensor) {
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
