import ItoTensors

extension Tensor {
  /// The inner product of each sample with its counterpart in `other`, both `[batch, …]`.
  func sampleProducts(_ other: Tensor) -> [Double] {
    let batch = batchCount
    return (self * other).reshaped(to: [batch, shape.count / Swift.max(1, batch)]).sum(axes: [1])
      .scalars
      .map(Double.init)
  }

  /// The standard deviation over the elements of each sample.
  func sampleDeviations() -> [Double] {
    let batch = batchCount
    return reshaped(to: [batch, shape.count / Swift.max(1, batch)]).variance(axes: [1]).scalars
      .map { Double($0).squareRoot() }
  }
}
