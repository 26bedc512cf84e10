import ItoCKernels

extension Shape {
  /// Elements between neighbours along each axis of a contiguous array of this shape.
  var strides: [Int] {
    var result = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      result[axis] = result[axis + 1] * dims[axis + 1]
    }
    return result
  }

  /// This shape with axis `axis` of size `size`.
  func replacing(axis: Int, with size: Int) -> Shape {
    var result = self
    result.dims[axis] = size
    return result
  }

  /// Elements before, along and after `axis` when the array is seen as three axes.
  func around(_ axis: Int) -> (outer: Int, count: Int, inner: Int) {
    (dims[..<axis].reduce(1, *), dims[axis], dims[(axis + 1)...].reduce(1, *))
  }
}

/// Where the elements of an array lie: the offset of the first, and strides, both in elements.
struct Layout {
  var offset = 0
  var strides: [Int]
}

/// Copies `shape` elements of type `dtype` from one layout to another; see `ito_strided_copy`.
func copyElements(
  _ shape: Shape, of dtype: DType, from input: UnsafeRawPointer, _ source: Layout,
  to output: UnsafeMutableRawPointer, _ target: Layout
) {
  require(
    shape.rank <= Int(ITO_COPY_AXES),
    "a tensor of shape \(shape) has more than \(ITO_COPY_AXES) axes")
  ito_strided_copy(
    Int32(dtype.byteCount), Int32(shape.rank), shape.dims.map(Int64.init),
    input + source.offset * dtype.byteCount, source.strides.map(Int64.init),
    output + target.offset * dtype.byteCount, target.strides.map(Int64.init))
}

extension Tensor {
  /// A contiguous tensor of shape `shape` with this one's elements as `layout` finds them, without
  /// gradient.
  func copied(as shape: Shape, _ layout: Layout) -> Tensor {
    reading(self) { input in
      Tensor(building: shape, dtype: dtype) { out in
        copyElements(
          shape, of: dtype, from: input, layout, to: out, Layout(strides: shape.strides))
      }
    }
  }

  /// The same buffer under another shape of as many elements, without gradient.
  func viewed(as shape: Shape) -> Tensor { Tensor(storage: storage, shape: shape, dtype: dtype) }
}
