import ItoModules
public import ItoTensors

/// The probability of what is asked for, given a noisy sample.
public protocol SampleClassifier: Sendable {
  /// `log p(y | x)` of each sample, `[batch]` float32, differentiable in `x`.
  ///
  /// - Parameters:
  ///   - x: `[batch, …]`, a sample at `level`.
  ///   - conditioning: what was asked for, batched like `x`.
  func logProbability(
    of x: Tensor, at level: NoiseLevel, given conditioning: Conditioning
  ) throws(SamplingError) -> Tensor
}

/// A classifier as the second model of guidance: its "estimate" is the shift `(σ²/α)·∇ₓ log p(y | x)` of
/// the clean estimate. Zero at pure noise, where a sample says nothing of its class.
///
/// - Cost: one evaluation of the classifier forward and backward.
public struct ClassifierGradient<C: SampleClassifier>: Denoiser {
  /// The classifier.
  public var classifier: C
  /// The process that its samples come from.
  public var schedule: any NoiseSchedule

  /// The gradient of `classifier`.
  public init(_ classifier: C, schedule: any NoiseSchedule) {
    self.classifier = classifier
    self.schedule = schedule
  }

  /// The shift, of the shape of `x`.
  public func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor {
    guard level.alpha > 0 else { return Tensor(zeros: x.shape) }
    let (tracked, leaf) = x.detached().cast(to: .float32).tracked()
    let total = try classifier.logProbability(of: tracked, at: level, given: conditioning).sum()
    guard let gradient = total.gradients()[leaf] else { return Tensor(zeros: x.shape) }
    return Tensor.linearCombination([(level.sigma * level.sigma / level.alpha, gradient)])
  }
}

/// A classifier of clean samples, asked about the clean estimate: `log p(y | E[x₀ | x])`, so that one
/// that never saw noise can guide.
///
/// - Cost: the model forward and backward beside the classifier.
/// - Source: Chung et al. 2023, *Diffusion Posterior Sampling for General Noisy Inverse Problems*,
///   arXiv:2209.14687; Bansal et al. 2023, *Universal Guidance*, arXiv:2302.07121.
public struct CleanSampleClassifier<D: Denoiser>: SampleClassifier {
  /// Gives the clean estimate.
  public var denoiser: D
  /// Unnormalised log-probabilities of the classes, `[batch, classes]`, of clean samples.
  public var logits: @Sendable (Tensor) -> Tensor

  /// `logits` of the estimates of `denoiser`.
  public init(_ denoiser: D, logits: @escaping @Sendable (Tensor) -> Tensor) {
    self.denoiser = denoiser
    self.logits = logits
  }

  /// `log p(y | E[x₀ | x])`, y the labels of `conditioning`.
  public func logProbability(
    of x: Tensor, at level: NoiseLevel, given conditioning: Conditioning
  ) throws(SamplingError) -> Tensor {
    guard let labels = conditioning.label?.integers else {
      throw .invalidRequest("classifier guidance needs a class; the model at hand has none")
    }
    let clean = try denoiser.denoise(
      x, at: level, given: conditioning, context: EvaluationContext(training: true))
    let scores = logits(clean).cast(to: .float32)
    let classes = scores.shape[1]
    guard labels.count == scores.shape[0], labels.allSatisfy((0..<classes).contains) else {
      throw .invalidRequest("labels \(labels) for a classifier of \(classes) classes")
    }
    var chosen = [Float](repeating: 0, count: scores.shape.count)
    for (row, label) in labels.enumerated() { chosen[row * classes + label] = 1 }
    // The largest is a constant: it shifts both terms alike.
    let centred = scores - scores.detached().max(axes: [-1], keepingAxes: true)
    let logSum = centred.exp().sum(axes: [-1], keepingAxes: true).log()
    return ((centred - logSum) * Tensor(chosen, shape: scores.shape)).sum(axes: [1])
  }
}
