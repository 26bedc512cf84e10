public import ItoDiffusion
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A mixture of axis-aligned Gaussians, whose clean estimate is known in closed form: what solvers and
/// guidance are tested on.
///
/// With component k of weight w, mean m and deviation s in each of d dimensions, and v = α²s² + σ²:
/// `E[x₀ | x] = Σₖ rₖ(x)·(m + (αs²/v)·(x − αm))`, rₖ ∝ w·Πᵢ v^{−1/2}·exp(−(x − αm)²/2v).
public struct GaussianMixture: Denoiser {
  /// One of the Gaussians.
  public struct Component: Sendable {
    /// Its share.
    public var weight: Double
    /// Mean and deviation in each dimension.
    public var mean: [Double], deviation: [Double]

    /// A Gaussian of the given share, means and deviations.
    public init(_ weight: Double, mean: [Double], deviation: [Double]) {
      self.weight = weight
      self.mean = mean
      self.deviation = deviation
    }
  }

  /// The Gaussians; their shares add up to 1.
  public var components: [Component]
  /// The process.
  public var schedule: any NoiseSchedule

  /// A mixture of `components` under `schedule`.
  public init(_ components: [Component], schedule: any NoiseSchedule) {
    self.components = components
    self.schedule = schedule
  }

  /// Number of dimensions.
  public var dimensions: Int { components[0].mean.count }

  /// The clean estimates of `x`, `[batch, dimensions]`. A label of the conditioning, if there is one
  /// below the number of components, picks the component for its sample; another picks all.
  public func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor {
    estimate(x, conditioning) { _ in level }
  }

  /// As above with a level for each sample.
  public func denoise(
    _ x: Tensor, atEach levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext
  ) throws(SamplingError) -> Tensor? {
    estimate(x, conditioning) { levels[$0] }
  }

  /// In loops over samples and in double precision: the tensors here are too narrow for operations on
  /// whole tensors to pay.
  private func estimate(
    _ x: Tensor, _ conditioning: Conditioning, _ level: (Int) -> NoiseLevel
  ) -> Tensor {
    let labels = conditioning.label?.integers
    let (values, width) = (x.scalars, dimensions)
    let means = components.flatMap(\.mean),
      squares = components.flatMap(\.deviation).map { $0 * $0 }
    let shares = components.map { log($0.weight) }
    var result = Tensor(zeros: x.shape)
    result.update { out in
      var logits = [Double](repeating: 0, count: shares.count)
      for sample in 0..<x.shape[0] {
        let level = level(sample)
        let (alpha, square) = (level.alpha, level.sigma * level.sigma)
        let chosen = labels.map { $0[sample] }.flatMap { shares.indices.contains($0) ? $0 : nil }
        for k in shares.indices {
          // Products of variances instead of sums of logarithms.
          var (quadratic, product) = (0.0, 1.0)
          for i in 0..<width {
            let off = Double(values[sample * width + i]) - alpha * means[k * width + i]
            let variance = alpha * alpha * squares[k * width + i] + square
            quadratic += off * off / variance
            product *= variance
          }
          logits[k] = shares[k] - 0.5 * (quadratic + log(product))
          if let chosen, chosen != k { logits[k] = -.infinity }
        }
        let greatest = logits.max() ?? 0
        var total = 0.0
        for k in shares.indices {
          logits[k] = exp(logits[k] - greatest)
          total += logits[k]
        }
        for i in 0..<width {
          var sum = 0.0
          for k in shares.indices {
            let (mean, own) = (means[k * width + i], squares[k * width + i])
            let off = Double(values[sample * width + i]) - alpha * mean
            sum += logits[k] * (mean + alpha * own / (alpha * alpha * own + square) * off)
          }
          out[sample * width + i] = Float(sum / total)
        }
      }
    }
    return result
  }

  /// `count` samples at `level`, `[count, dimensions]`, a function of `seed`: exact draws, not a run.
  public func draw(_ count: Int, at level: NoiseLevel = .clean, seed: UInt64) -> Tensor {
    var generator = SplitMix64(seed: seed)
    var values: [Float] = []
    values.reserveCapacity(count * dimensions)
    for _ in 0..<count {
      var rest = generator.uniform()
      var chosen = components[components.count - 1]
      for component in components {
        rest -= component.weight
        if rest < 0 {
          chosen = component
          break
        }
      }
      for i in 0..<dimensions {
        let clean = chosen.mean[i] + chosen.deviation[i] * generator.normal()
        values.append(Float(level.alpha * clean + level.sigma * generator.normal()))
      }
    }
    return Tensor(values, shape: [count, dimensions])
  }

  /// Mean in each dimension.
  public var mean: [Double] {
    (0..<dimensions).map { i in components.reduce(0) { $0 + $1.weight * $1.mean[i] } }
  }

  /// Covariance between dimensions.
  public var covariance: [[Double]] {
    let mean = self.mean
    return (0..<dimensions).map { i in
      (0..<dimensions).map { j in
        components.reduce(0.0) { sum, c in
          let own = i == j ? c.deviation[i] * c.deviation[i] : 0
          return sum + c.weight * (own + (c.mean[i] - mean[i]) * (c.mean[j] - mean[j]))
        }
      }
    }
  }
}

/// Mean and covariance of `samples`, `[count, dimensions]`, with the standard error of each from the
/// samples themselves.
public struct SampleMoments: Sendable {
  /// Mean in each dimension and its standard error.
  public var mean: [Double], meanError: [Double]
  /// Covariance between dimensions and its standard error.
  public var covariance: [[Double]], covarianceError: [[Double]]

  /// The moments of `samples`.
  public init(_ samples: Tensor) {
    let (count, dimensions) = (samples.shape[0], samples.shape[1])
    let columns = samples.chunks(dimensions, axis: 1).map { $0.scalars.map(Double.init) }
    let n = Double(count)
    let means = columns.map { $0.reduce(0, +) / n }
    mean = means
    covariance = []
    covarianceError = []
    for i in 0..<dimensions {
      var values: [Double] = [], errors: [Double] = []
      for j in 0..<dimensions {
        var (sum, squares) = (0.0, 0.0)
        for k in 0..<count {
          let product = (columns[i][k] - means[i]) * (columns[j][k] - means[j])
          sum += product
          squares += product * product
        }
        values.append(sum / n)
        errors.append(((squares / n - sum / n * sum / n) / n).squareRoot())
      }
      covariance.append(values)
      covarianceError.append(errors)
    }
    meanError = []
    for i in 0..<dimensions { meanError.append((covariance[i][i] / n).squareRoot()) }
  }
}
