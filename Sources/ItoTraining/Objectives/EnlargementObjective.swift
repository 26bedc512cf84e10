public import ItoModules
public import ItoTensors

/// Trains a network that makes small pictures large: mean over blocks, add noise, compare with the picture.
///
/// `mean|y − picture| + edges · mean|∇y − ∇picture|`, `y = F(mean(picture) + s·noise)`, `s` uniform in
/// `0…noise` for each sample, ∇ the differences of neighbours across and down. Absolute errors keep edges
/// sharp where squares would blur them; the noise prepares for small pictures that a diffusion model drew.
///
/// - Source: noise added in training after Ho et al. 2021, *Cascaded Diffusion Models*, arXiv:2106.15282,
///   section 4.2; the loss on differences after Mathieu et al. 2015, arXiv:1511.05440, equation 6.
public struct EnlargementObjective<Model: Module>: TrainingObjective {
  /// Element type to compute in.
  public var computeType: DType
  /// Side of a block of pixels that is one pixel of the small picture.
  public var factor: Int
  /// The largest standard deviation of the noise.
  public var noise: Double
  /// How much edges count.
  public var edges: Double
  private let apply: @Sendable (Model, Tensor) -> Tensor

  /// An objective for a model that is called by `apply`.
  public init(
    factor: Int, noise: Double = 0.12, edges: Double = 0.5, computeType: DType = .float32,
    apply: @escaping @Sendable (Model, Tensor) -> Tensor
  ) {
    self.factor = factor
    self.noise = noise
    self.edges = edges
    self.computeType = computeType
    self.apply = apply
  }

  /// The loss; draws the deviations, then the noise.
  public func loss(of model: Model, on batch: ImageBatch, noise source: inout NoiseSource) -> Tensor
  {
    let picture = batch.images.cast(to: .float32)
    let small = picture.averagePooled(window: factor)
    let deviations = (0..<batch.count).map { _ in noise * source.uniform() }
    let drawn = source.normal(small.shape)
    let input = Tensor.linearCombination(
      perSample: [
        ([Double](repeating: 1, count: batch.count), small), (deviations, drawn),
      ], dtype: computeType)
    let error = apply(model, input).cast(to: .float32) - picture
    let across = Self.difference(error, axis: 2), down = Self.difference(error, axis: 1)
    return error.abs().mean() + edges * (across.abs().mean() + down.abs().mean())
  }

  /// The loss, and the squared error without noise beside that of smooth enlargement.
  public func measures(
    of model: Model, on batch: ImageBatch, noise source: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    let picture = batch.images.cast(to: .float32)
    let small = picture.averagePooled(window: factor)
    func squared(_ y: Tensor) -> Double {
      Double((y.cast(to: .float32) - picture).squared().mean().item)
    }
    return [
      ("loss", Double(loss(of: model, on: batch, noise: &source).item)),
      ("mse", squared(apply(model, small.cast(to: computeType)))),
      (
        "mse_bilinear",
        squared(small.resizedBilinear(height: picture.shape[1], width: picture.shape[2]))
      ),
    ]
  }

  /// Neighbours along `axis`, the later minus the earlier.
  private static func difference(_ x: Tensor, axis: Int) -> Tensor {
    x.sliced(1..<x.shape[axis], axis: axis) - x.sliced(0..<(x.shape[axis] - 1), axis: axis)
  }
}
