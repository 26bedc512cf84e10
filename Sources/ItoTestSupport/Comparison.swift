public import ItoTensors

/// What keeps `a` from being close to `b`, or nil when every element is:
/// `|a − b| ≤ absolute + relative · |b|`. Equal infinities and pairs of NaN are close.
///
/// Made for `#expect(mismatch(a, b) == nil)`, which prints the description on failure.
///
/// - Returns: a sentence with the number of elements that differ and the worst one's index and
///   values; or what differs in shape or element type.
public func mismatch(
  _ a: Tensor, _ b: Tensor, relative: Float = Tolerances.elementwise,
  absolute: Float = Float(Tolerances.elementwise)
) -> String? {
  if a.shape != b.shape { return "shape \(a.shape) instead of \(b.shape)" }
  if a.dtype != b.dtype { return "elements of \(a.dtype) instead of \(b.dtype)" }
  if !a.dtype.isFloatingPoint {
    let pairs = Array(zip(a.integers, b.integers))
    guard let first = pairs.firstIndex(where: { $0 != $1 }) else { return nil }
    let (x, y) = pairs[first]
    let count = pairs.count { $0 != $1 }
    return "\(count) of \(pairs.count) integers differ, first \(position(first, in: a.shape)): "
      + "\(x) instead of \(y)"
  }
  return mismatch(a, b.scalars, relative: relative, absolute: absolute)
}

/// As ``mismatch(_:_:relative:absolute:)``, against the row-major `values` of a naive loop.
public func mismatch(
  _ a: Tensor, _ values: [Float], relative: Float = Tolerances.elementwise,
  absolute: Float = Float(Tolerances.elementwise)
) -> String? {
  if a.shape.count != values.count {
    return "\(a.shape.count) elements of shape \(a.shape) instead of \(values.count)"
  }
  var count = 0
  var worst = (excess: -Float.infinity, index: 0)
  let found = a.scalars
  for (i, (x, y)) in zip(found, values).enumerated() where x != y && !(x.isNaN && y.isNaN) {
    let excess = abs(x - y) - (absolute + relative * abs(y))
    if excess <= 0 { continue }
    count += 1
    // NaN against a number counts as infinitely far.
    let ranked = excess.isNaN ? Float.infinity : excess
    if ranked > worst.excess { worst = (ranked, i) }
  }
  if count == 0 { return nil }
  let (x, y) = (found[worst.index], values[worst.index])
  return "\(count) of \(values.count) elements differ, most \(position(worst.index, in: a.shape)): "
    + "\(x) instead of \(y)"
}

/// `‖a − b‖ / ‖b‖` over all elements, in double precision; the norm of `a` when `b` is all zero.
public func relativeRMSError(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  var difference = 0.0
  var reference = 0.0
  for (x, y) in zip(a.scalars, b.scalars) {
    let d = Double(x) - Double(y)
    difference += d * d
    reference += Double(y) * Double(y)
  }
  return reference > 0 ? (difference / reference).squareRoot() : difference.squareRoot()
}

/// `at [1, 0, 2]`: the multi-index of the flat index `i`.
func position(_ i: Int, in shape: Shape) -> String {
  var rest = i
  var index: [Int] = []
  for size in shape.dims.reversed() {
    index.append(rest % max(1, size))
    rest /= max(1, size)
  }
  return "at \(Array(index.reversed()))"
}
