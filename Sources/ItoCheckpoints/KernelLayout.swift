import ItoTensors

// Published checkpoints keep the kernels of convolutions as [out, in / groups, height, width] (of
// transposed ones as [in, out / groups, height, width]). Ours are channels-last:
// [out, height, width, in / groups]. Which parameters are kernels is known by type: they are those
// of a `ConvolutionWeight`.

extension Shape {
  /// The shape in a published file of a kernel of this shape.
  var publishedKernel: Shape {
    rank == 4 ? Shape([dims[0], dims[3], dims[1], dims[2]]) : self
  }
}

extension Tensor {
  /// A kernel of ours as published files hold it.
  func toPublishedKernel() -> Tensor { shape.rank == 4 ? permuted([0, 3, 1, 2]) : self }

  /// A kernel as published files hold it in our layout.
  func fromPublishedKernel() -> Tensor { shape.rank == 4 ? permuted([0, 2, 3, 1]) : self }

  /// Part `index` of `count` equal parts along `axis`: a view where the parts lie one after the
  /// other, else a copy.
  func part(_ index: Int, of count: Int, axis: Int) -> Tensor {
    let size = shape[axis] / count
    guard shape.dims[..<axis].allSatisfy({ $0 == 1 }) else {
      return sliced((index * size)..<((index + 1) * size), axis: axis)
    }
    var target = shape
    target[axis] = size
    let bytes = target.count * dtype.byteCount
    let view = Storage(
      viewing: UnsafeRawPointer(storage.base) + index * bytes, byteCount: bytes, owner: storage)
    return Tensor(storage: view, shape: target, dtype: dtype)
  }
}
