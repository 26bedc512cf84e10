import ItoCKernels

extension Tensor {
  /// `self` as int64 indices, each checked to be within `0..<bound`.
  private func validIndices(_ operation: String, below bound: Int) -> Tensor {
    require(
      !dtype.isFloatingPoint && dtype != .bool, "\(operation): indices of \(dtype), not integers")
    let indices = cast(to: .int64)
    let bad = reading(indices) {
      ito_find_out_of_range($0.of(Int64.self), Int64(shape.count), Int64(bound))
    }
    if bad >= 0 {
      let value = indices.integers[Int(bad)]
      trap("\(operation): index \(value) at position \(bad) is not within 0..<\(bound)")
    }
    return indices
  }

  /// Slices of `axis` at `indices`, in that order: axis `axis` of the result has `indices.count`
  /// elements.
  ///
  /// - Parameter indices: integers, shape `[count]`; one out of bounds traps. Repeated ones add up
  ///   in the gradient, in their order, in float32.
  public func indexSelected(_ indices: Tensor, axis: Int = 0) -> Tensor {
    let a = shape.axis(axis)
    require(indices.shape.rank == 1, "index select: indices of shape \(indices.shape), not [count]")
    let (outer, rows, inner) = shape.around(a)
    let count = indices.shape.count
    let index = indices.validIndices("index select on axis \(axis) of \(shape)", below: rows)
    let target = shape.replacing(axis: a, with: count)
    let result = reading(self, index) { input, index in
      Tensor(building: target, dtype: dtype) { out in
        ito_gather_rows(
          input, index.of(Int64.self), out, Int64(outer), Int64(rows), Int64(count),
          Int64(inner * dtype.byteCount))
      }
    }
    return result.recorded(from: [self]) { [shape = self.shape, dtype = self.dtype] g in
      [g.rowsAdded(at: index, into: shape, axis: a).cast(to: dtype)]
    }
  }

  /// The float32 tensor of shape `target` whose slice r along `axis` is the sum of this one's slices
  /// j with `indices[j] == r`, without gradient.
  private func rowsAdded(at indices: Tensor, into target: Shape, axis: Int) -> Tensor {
    let (outer, rows, inner) = target.around(axis)
    return reading(self, indices) { part, index in
      Tensor(building: target) { out in
        ito_scatter_add_rows(
          dtype.rawValue, part, index.of(Int64.self), out.of(Float.self), Int64(outer),
          Int64(rows), Int64(indices.shape.count), Int64(inner))
      }
    }
  }

  /// Rows of this table at `indices`: `[rows, features]` → `[indices.., features]`.
  ///
  /// The gradient is float32 whatever the table's element type; rows looked up more than once add up
  /// in the order of `indices`, so it does not depend on the number of threads.
  ///
  /// - Parameter indices: integers of any shape; one out of bounds traps with its value.
  public func embedding(_ indices: Tensor) -> Tensor {
    require(shape.rank == 2, "embedding: the table has shape \(shape), not [rows, features]")
    let index = indices.validIndices("embedding in a table of shape \(shape)", below: shape[0])
    let target = Shape(indices.shape.dims + [shape[1]])
    let result = reading(self, index) { table, index in
      Tensor(building: target, dtype: dtype) { out in
        ito_gather_rows(
          table, index.of(Int64.self), out, 1, Int64(shape[0]), Int64(indices.shape.count),
          Int64(shape[1] * dtype.byteCount))
      }
    }
    if storage.isMapped, !result.isFinite { storage.noteNonFinite() }
    return result.recorded(from: [self]) { [shape = self.shape] g in
      [g.rowsAdded(at: index, into: shape, axis: 0)]
    }
  }

  private func requireIndices(_ operation: String, _ indices: Tensor, axis: Int, of target: Shape) {
    require(
      indices.shape.rank == target.rank
        && indices.shape.replacing(axis: axis, with: 0) == target.replacing(axis: axis, with: 0),
      "\(operation): indices of shape \(indices.shape) differ from \(target) off axis \(axis)")
  }

  /// For each place of `indices` the element that its index names along `axis`: for axis 1 of three,
  /// `result[i, j, k] = self[i, indices[i, j, k], k]`.
  ///
  /// - Parameter indices: integers with the shape of `self` but for `axis`; one out of bounds traps.
  public func gathered(_ indices: Tensor, axis: Int) -> Tensor {
    let a = shape.axis(axis)
    requireIndices("gather", indices, axis: a, of: shape)
    let (outer, rows, inner) = shape.around(a)
    let count = indices.shape.dims[a]
    let index = indices.validIndices("gather on axis \(axis) of \(shape)", below: rows)
    let result = reading(self, index) { input, index in
      Tensor(building: indices.shape, dtype: dtype) { out in
        ito_gather_along(
          Int32(dtype.byteCount), input, index.of(Int64.self), out, Int64(outer), Int64(rows),
          Int64(count), Int64(inner))
      }
    }
    return result.recorded(from: [self]) { [dtype = self.dtype] g in
      [g.scattered(at: index, count: rows, axis: a).cast(to: dtype)]
    }
  }

  /// A float32 tensor of zeros with `count` elements along `axis`, to which the elements of `self`
  /// are added where `indices` says; the adjoint of `gathered`, without gradient.
  func scattered(at indices: Tensor, count: Int, axis: Int) -> Tensor {
    let target = shape.replacing(axis: axis, with: count)
    let (outer, rows, inner) = target.around(axis)
    return reading(self, indices) { part, index in
      Tensor(building: target) { out in
        ito_scatter_add_along(
          dtype.rawValue, part, index.of(Int64.self), out.of(Float.self), Int64(outer), Int64(rows),
          Int64(shape.dims[axis]), Int64(inner))
      }
    }
  }

  /// `self` with `values` added at `indices` along `axis`: for axis 1 of three,
  /// `self[i, indices[i, j, k], k] += values[i, j, k]`, in float32 and in the order of j.
  ///
  /// - Parameters:
  ///   - indices: integers with the shape of `self` but for `axis`; one out of bounds traps.
  ///   - values: one floating-point number per index.
  public func scatterAdd(_ values: Tensor, at indices: Tensor, axis: Int) -> Tensor {
    let a = shape.axis(axis)
    requireIndices("scatter", indices, axis: a, of: shape)
    require(
      values.shape == indices.shape && values.dtype.isFloatingPoint && dtype.isFloatingPoint,
      "scatter: \(values.dtype) values of shape \(values.shape) for indices of \(indices.shape) "
        + "into \(dtype)")
    let rows = shape.dims[a]
    let index = indices.validIndices("scatter on axis \(axis) of \(shape)", below: rows)
    let sum =
      detached().cast(to: .float32) + values.detached().scattered(at: index, count: rows, axis: a)
    return sum.cast(to: dtype).recorded(from: [self, values]) { [type = values.dtype] g in
      [g, g.gathered(index, axis: a).cast(to: type)]
    }
  }
}
