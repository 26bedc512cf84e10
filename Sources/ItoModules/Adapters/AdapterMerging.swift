public import ItoTensors

/// Makes adapters part of the weights they adapt: the sum is as quick as the base alone, but is a
/// copy of it.
///
/// Merged weights are dense, of element type `dtype`; float32 rounds nothing, narrower types lose
/// changes smaller than their precision.
public struct AdapterMerging: WeightTransform {
  private let dtype: DType

  /// Merging into weights of type `dtype`.
  public init(dtype: DType) { self.dtype = dtype }

  /// The sum of an adapted matrix.
  public func replacement(for weight: any WeightMatrix, at path: ModulePath) -> (any WeightMatrix)?
  {
    guard let weight = weight as? AdaptedWeight, weight.delta != nil else { return nil }
    let sum = DenseWeight(weight.dense().cast(to: dtype))
    // A bias lies outside the weight, so its change goes on being added.
    guard let bias = weight.biasDelta else { return sum }
    return AdaptedWeight(sum, delta: nil, biasDelta: bias, strength: weight.strength)
  }

  /// The sum of an adapted kernel.
  public func replacement(
    for weight: any ConvolutionWeight, at path: ModulePath
  ) -> (any ConvolutionWeight)? {
    guard let weight = weight as? AdaptedKernel, weight.delta != nil else { return nil }
    let sum = DenseKernel(weight.dense().cast(to: dtype))
    guard let bias = weight.biasDelta else { return sum }
    return AdaptedKernel(sum, delta: nil, biasDelta: bias, strength: weight.strength)
  }
}
