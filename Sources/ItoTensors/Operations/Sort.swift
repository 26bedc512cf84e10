import ItoCKernels

extension Tensor {
  /// int64 positions of the first `count` elements along axis `a` in order, see `ito_sort`.
  private func order(_ a: Int, _ count: Int, descending: Bool) -> Tensor {
    let (outer, length, inner) = shape.around(a)
    require(length < 1 << 32, "sort: axis \(a) of shape \(shape) has 2³² elements or more")
    return reading(self) { input in
      Tensor(building: shape.replacing(axis: a, with: count), dtype: .int64) { out in
        ito_sort(
          dtype.rawValue, input, Int64(outer), Int64(length), Int64(inner), descending ? 1 : 0,
          Int64(count), out.of(Int64.self))
      }
    }
  }

  /// The elements along `axis` in order, and where each was.
  ///
  /// Equal elements keep their order; NaN comes after all numbers, descending or not.
  ///
  /// - Returns: `values` and int64 `indices` of the shape of `self`; `values` is
  ///   `gathered(indices, axis: axis)`, with gradient.
  public func sorted(axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor)
  {
    let a = shape.axis(axis)
    let indices = order(a, shape.dims[a], descending: descending)
    return (gathered(indices, axis: a), indices)
  }

  /// The `k` largest elements along `axis`, largest first, and where each was.
  ///
  /// Of equal elements the first come first; NaN counts as smallest.
  ///
  /// - Returns: `values` and int64 `indices` with `k` elements along `axis`; gradients flow through
  ///   `values`.
  public func topK(_ k: Int, axis: Int = -1) -> (values: Tensor, indices: Tensor) {
    let a = shape.axis(axis)
    require(
      k >= 0 && k <= shape.dims[a], "top-k: axis \(axis) of shape \(shape) has no \(k) elements")
    let indices = order(a, k, descending: true)
    return (gathered(indices, axis: a), indices)
  }

  /// Where the largest element along `axis` is, the first of equal ones; NaN counts as smallest.
  ///
  /// - Returns: int64 positions; `axis` is removed.
  public func argMax(axis: Int = -1) -> Tensor {
    let a = shape.axis(axis)
    require(shape.dims[a] > 0, "argmax: axis \(axis) of shape \(shape) is empty")
    return order(a, 1, descending: true).squeezed(axis: a)
  }
}
