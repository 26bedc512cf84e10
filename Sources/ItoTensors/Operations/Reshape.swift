extension Tensor {
  /// The same elements in the same order under another shape. Shares the buffer: costs nothing.
  ///
  /// - Parameter sizes: axis sizes; one may be -1 and is inferred from the number of elements.
  public func reshaped(to sizes: [Int]) -> Tensor {
    var dims = sizes
    if let free = dims.firstIndex(of: -1) {
      let known = dims.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
      require(
        known > 0 && shape.count.isMultiple(of: known),
        "reshape: \(shape.count) elements of shape \(shape) do not fill \(sizes)")
      dims[free] = shape.count / known
    }
    let target = Shape(dims)
    require(
      target.count == shape.count,
      "reshape: \(shape.count) elements of shape \(shape) do not fill \(sizes)")
    if target == shape { return self }
    return viewed(as: target).recorded(from: [self]) { [shape = self.shape] g in
      [g.viewed(as: shape)]
    }
  }

  /// The same elements in the same order under another shape. Shares the buffer: costs nothing.
  public func reshaped(to shape: Shape) -> Tensor { reshaped(to: shape.dims) }

  /// Axes `first` through `last` (all by default) merged into one.
  public func flattened(from first: Int = 0, through last: Int = -1) -> Tensor {
    if shape.rank == 0 { return reshaped(to: [1]) }
    let (a, b) = (shape.axis(first), shape.axis(last))
    require(a <= b, "flatten: axis \(first) of shape \(shape) comes after axis \(last)")
    return reshaped(
      to: Array(shape.dims[..<a]) + [shape.dims[a...b].reduce(1, *)] + shape.dims[(b + 1)...])
  }

  /// Axis `axis` split into axes of the given sizes, of which one may be -1.
  public func unflattened(axis: Int, into sizes: [Int]) -> Tensor {
    let a = shape.axis(axis)
    var parts = sizes
    if let free = parts.firstIndex(of: -1) {
      let known = parts.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
      parts[free] = known > 0 ? shape.dims[a] / known : 0
    }
    require(
      parts.reduce(1, *) == shape.dims[a],
      "unflatten: axis \(axis) of shape \(shape) does not split into \(sizes)")
    return reshaped(to: Array(shape.dims[..<a]) + parts + shape.dims[(a + 1)...])
  }

  /// A new axis of size 1 that becomes axis `axis` of the result; -1 appends it.
  public func expandedDims(at axis: Int) -> Tensor {
    let a = axis < 0 ? axis + shape.rank + 1 : axis
    require(a >= 0 && a <= shape.rank, "expand: no axis can go at \(axis) of shape \(shape)")
    return reshaped(to: Array(shape.dims[..<a]) + [1] + shape.dims[a...])
  }

  /// Axis `axis`, which has size 1, removed; without `axis`, all axes of size 1.
  public func squeezed(axis: Int? = nil) -> Tensor {
    guard let axis else { return reshaped(to: shape.dims.filter { $0 != 1 }) }
    let a = shape.axis(axis)
    require(shape.dims[a] == 1, "squeeze: axis \(axis) of shape \(shape) is not of size 1")
    return reshaped(to: Array(shape.dims[..<a]) + shape.dims[(a + 1)...])
  }
}
