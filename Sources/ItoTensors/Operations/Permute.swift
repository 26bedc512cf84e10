extension Tensor {
  /// Axes reordered: axis i of the result is axis `axes[i]` of `self`.
  ///
  /// Costs one copy, in runs or register-blocked transposes; nothing when only axes of size 1 move.
  public func permuted(_ axes: [Int]) -> Tensor {
    let order = axes.map { shape.axis($0) }
    require(
      order.count == shape.rank && Set(order).count == shape.rank,
      "permute: \(axes) is no order of the axes of shape \(shape)")
    let target = Shape(order.map { shape.dims[$0] })
    let moving = order.filter { shape.dims[$0] != 1 }
    if moving == moving.sorted() { return reshaped(to: target) }

    let strides = shape.strides
    let result = copied(as: target, Layout(strides: order.map { strides[$0] }))
    return result.recorded(from: [self]) { g in
      var inverse = order
      for (i, axis) in order.enumerated() { inverse[axis] = i }
      return [g.permuted(inverse)]
    }
  }

  /// Axes reordered: axis i of the result is the i-th of `axes`.
  public func permuted(_ axes: Int...) -> Tensor { permuted(axes) }

  /// Axes `first` and `second` exchanged; the last two by default.
  public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
    var order = Array(0..<shape.rank)
    order.swapAt(shape.axis(first), shape.axis(second))
    return permuted(order)
  }

  /// This tensor repeated along axes of size 1 and new leading axes up to `target`, written out.
  ///
  /// Arithmetic broadcasts by itself; this is for operations that do not. The gradient sums over
  /// what was repeated.
  public func broadcast(to target: Shape) -> Tensor {
    require(
      Shape.broadcast(shape, target) == target,
      "broadcast: shape \(shape) does not broadcast to \(target)")
    if target == shape { return self }
    let added = target.rank - shape.rank
    var strides = [Int](repeating: 0, count: added) + shape.strides
    for axis in 0..<shape.rank where shape.dims[axis] == 1 { strides[added + axis] = 0 }
    let result = copied(as: target, Layout(strides: strides))
    return result.recorded(from: [self]) { [shape = self.shape, dtype = self.dtype] g in
      [g.reduced(to: shape, dtype: dtype)]
    }
  }
}
