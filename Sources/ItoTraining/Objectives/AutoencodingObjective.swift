public import ItoModules
public import ItoTensors

/// Trains an autoencoder whose latent is a normal distribution for every picture.
///
/// `mean|D(z) − x| + β/n · Σ ½(μ² + e^v − 1 − v)`, `z = μ + e^(v/2)·ε`, (μ, v) = E(x), n the number of
/// elements of the pictures, the sum over those of the latents. With sums in place of means this is the
/// loss of latent diffusion without its perceptual and adversarial parts, and β has the same meaning.
///
/// - Source: Kingma & Welling 2013, arXiv:1312.6114, appendix B; Rombach et al. 2022, arXiv:2112.10752,
///   section 3.1 and appendix G (β = 1e-6).
public struct AutoencodingObjective<Model: Module>: TrainingObjective {
  /// Mean and logarithm of the variance of latents.
  public typealias Moments = (mean: Tensor, logVariance: Tensor)

  /// Element type to compute in.
  public var computeType: DType
  /// β: how much the latents' distance from unit normals counts.
  public var klWeight: Double
  private let encode: @Sendable (Model, Tensor) -> Moments
  private let decode: @Sendable (Model, Tensor) -> Tensor

  /// An objective for a model that is called by `encode` and `decode`.
  public init(
    klWeight: Double = 1e-6, computeType: DType = .float32,
    encode: @escaping @Sendable (Model, Tensor) -> Moments,
    decode: @escaping @Sendable (Model, Tensor) -> Tensor
  ) {
    self.klWeight = klWeight
    self.computeType = computeType
    self.encode = encode
    self.decode = decode
  }

  private func moments(of x: Tensor, _ model: Model) -> Moments {
    let m = encode(model, x.cast(to: computeType))
    return (m.mean.cast(to: .float32), m.logVariance.cast(to: .float32))
  }

  private func picture(of z: Tensor, _ model: Model) -> Tensor {
    decode(model, z.cast(to: computeType)).cast(to: .float32)
  }

  /// Σ KL of the latents from unit normals.
  private func divergence(_ m: Moments) -> Tensor {
    0.5 * (m.mean.squared() + m.logVariance.exp() - m.logVariance - 1).sum()
  }

  /// The loss; draws the latents.
  public func loss(of model: Model, on batch: ImageBatch, noise: inout NoiseSource) -> Tensor {
    let x = batch.images.cast(to: .float32)
    let m = moments(of: x, model)
    let z = m.mean + (0.5 * m.logVariance).exp() * noise.normal(m.mean.shape)
    let error = (picture(of: z, model) - x).abs().mean()
    return error + (klWeight / Double(x.shape.count)) * divergence(m)
  }

  /// The loss; the squared error of pictures from the means of their latents, −1…1; and the divergence of
  /// a latent element in nats.
  public func measures(
    of model: Model, on batch: ImageBatch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    let x = batch.images.cast(to: .float32)
    let m = moments(of: x, model)
    let error = (picture(of: m.mean, model) - x).squared().mean()
    return [
      ("loss", Double(loss(of: model, on: batch, noise: &noise).item)),
      ("mse", Double(error.item)),
      ("kl", Double(divergence(m).item) / Double(m.mean.shape.count)),
    ]
  }

  /// Standard deviation of all elements of latents drawn for the pictures of `batches`:
  /// `√(Var μ + mean e^v)`. A network that denoises them wants them divided by it.
  public func latentDeviation(
    of model: Model, on batches: some Sequence<ImageBatch>
  ) -> Double {
    var (count, sum, squares) = (0.0, 0.0, 0.0)
    for batch in batches {
      let m = moments(of: batch.images.cast(to: .float32), model)
      let n = Double(m.mean.shape.count)
      count += n
      sum += n * Double(m.mean.mean().item)
      squares += m.mean.sumOfSquares + n * Double(m.logVariance.exp().mean().item)
    }
    require(count > 0, "the deviation of no latents")
    return (squares / count - (sum / count) * (sum / count)).squareRoot()
  }
}
