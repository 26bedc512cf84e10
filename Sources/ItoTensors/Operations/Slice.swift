import ItoCKernels

extension Tensor {
  /// Elements `from`, `from + step`, … before `to` along `axis`.
  ///
  /// - Parameters:
  ///   - from: first index; negative counts from the end.
  ///   - to: index after the last, the end when nil; negative counts from the end.
  ///   - step: positive.
  public func slice(axis: Int, from: Int = 0, to: Int? = nil, step: Int = 1) -> Tensor {
    let a = shape.axis(axis)
    let (outer, size, inner) = shape.around(a)
    let first = from < 0 ? from + size : from
    let end = to.map { $0 < 0 ? $0 + size : $0 } ?? size
    require(
      first >= 0 && first <= end && end <= size && step > 0,
      "slice: from \(from) to \(to.map(String.init) ?? "the end") step \(step) "
        + "is not within axis \(axis) of shape \(shape)")
    if first == 0 && end == size && step == 1 { return self }

    let count = (end - first + step - 1) / step
    var strides = shape.strides
    let offset = first * strides[a]
    strides[a] *= step
    let result = copied(
      as: shape.replacing(axis: a, with: count), Layout(offset: offset, strides: strides))
    return result.recorded(asPartOf: self) { g, whole in
      reading(g) { part in
        whole.updateBytes { bytes in
          ito_add_region(
            g.dtype.rawValue, Int64(outer), Int64(count), Int64(inner), part,
            bytes + offset * g.dtype.byteCount, Int64(size * inner), Int64(step * inner))
        }
      }
    }
  }

  /// Indices `range` of `axis`.
  public func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    slice(axis: axis, from: range.lowerBound, to: range.upperBound)
  }

  /// What lies at `index` of `axis`, which is removed; a negative `index` counts from the end.
  public func indexed(_ index: Int, axis: Int) -> Tensor {
    let size = shape[axis]
    let i = index < 0 ? index + size : index
    require(
      i >= 0 && i < size, "index \(index) is out of bounds of axis \(axis) of shape \(shape)")
    return slice(axis: axis, from: i, to: i + 1).squeezed(axis: axis)
  }

  /// Consecutive pieces along `axis`. Their gradients are added into one buffer.
  ///
  /// - Parameter sizes: sizes of the pieces along `axis`, which add up to its size.
  public func split(sizes: [Int], axis: Int) -> [Tensor] {
    let size = shape[axis]
    require(
      sizes.allSatisfy { $0 >= 0 } && sizes.reduce(0, +) == size,
      "split: sizes \(sizes) do not add up to axis \(axis) of shape \(shape)")
    var start = 0
    return sizes.map { piece in
      defer { start += piece }
      return slice(axis: axis, from: start, to: start + piece)
    }
  }

  /// `count` equal pieces along `axis`.
  public func chunks(_ count: Int, axis: Int) -> [Tensor] {
    let size = shape[axis]
    require(
      count > 0 && size.isMultiple(of: count),
      "chunks: axis \(axis) of shape \(shape) does not split into \(count) equal pieces")
    return split(sizes: [Int](repeating: size / count, count: count), axis: axis)
  }

  /// Elements along `axis` in reverse order.
  public func flipped(axis: Int) -> Tensor {
    let a = shape.axis(axis)
    if shape.count == 0 { return self }
    var strides = shape.strides
    let offset = (shape.dims[a] - 1) * strides[a]
    strides[a] = -strides[a]
    return copied(as: shape, Layout(offset: offset, strides: strides))
      .recorded(from: [self]) { g in [g.flipped(axis: a)] }
  }

  /// Elements along `axis` moved `count` places towards its end; those pushed out enter at its start.
  public func rolled(by count: Int, axis: Int) -> Tensor {
    let size = shape[axis]
    guard size > 0 else { return self }
    let places = ((count % size) + size) % size
    if places == 0 { return self }
    let parts = split(sizes: [size - places, places], axis: axis)
    return .concatenated([parts[1], parts[0]], axis: axis)
  }
}
