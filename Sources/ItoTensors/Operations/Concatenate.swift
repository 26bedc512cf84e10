extension Tensor {
  /// `tensors` one after the other along `axis`. Their other axes agree.
  ///
  /// Tensors of several element types become the type arithmetic on them would have.
  public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    guard let first = tensors.first else { trap("concatenate: no tensors") }
    if tensors.count == 1 { return first }
    let a = first.shape.axis(axis)
    for tensor in tensors {
      require(
        tensor.shape.rank == first.shape.rank
          && tensor.shape.replacing(axis: a, with: 0) == first.shape.replacing(axis: a, with: 0),
        "concatenate: shapes \(tensors.map(\.shape)) differ off axis \(axis)")
    }
    let dtype = tensors.dropFirst().reduce(first.dtype) { $0.promoted(with: $1.dtype) }
    let parts = tensors.map { $0.cast(to: dtype) }
    let sizes = tensors.map { $0.shape.dims[a] }
    let target = first.shape.replacing(axis: a, with: sizes.reduce(0, +))
    let strides = target.strides
    let result = Tensor(building: target, dtype: dtype) { out in
      var start = 0
      for part in parts {
        reading(part) { input in
          copyElements(
            part.shape, of: dtype, from: input, Layout(strides: part.shape.strides),
            to: out, Layout(offset: start * strides[a], strides: strides))
        }
        start += part.shape.dims[a]
      }
    }
    let wanted = parts.map(\.isTracked)
    return result.recorded(from: parts) { g in
      var start = 0
      return Swift.zip(sizes, wanted).map { size, wanted in
        defer { start += size }
        return wanted ? g.slice(axis: a, from: start, to: start + size) : nil
      }
    }
  }

  /// `tensors` of one shape along a new axis, which becomes axis `axis` of the result.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    for tensor in tensors {
      require(
        tensor.shape == tensors[0].shape, "stack: shapes \(tensors.map(\.shape)) differ")
    }
    let expanded = tensors.map { $0.expandedDims(at: axis) }
    return concatenated(expanded, axis: axis)
  }
}
