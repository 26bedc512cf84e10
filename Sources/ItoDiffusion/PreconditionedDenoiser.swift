public import ItoModules
public import ItoTensors

/// A network with the process it was trained for and the meaning of its output: the one value that is
/// trained, sampled, quantized and served.
///
/// `clean = skip·x + output·F(input·x, time)`
public struct PreconditionedDenoiser<B: Backbone>: Denoiser, Module {
  /// The network.
  public var backbone: B
  /// The process.
  public var schedule: any NoiseSchedule
  /// What the output means.
  public var parameterization: any Parameterization
  /// The element type the network computes in. Samples, estimates and losses are float32.
  public var computeType: DType

  /// A network, its process and the meaning of its output.
  public init(
    _ backbone: B, schedule: any NoiseSchedule, parameterization: any Parameterization,
    computeType: DType = .float32
  ) {
    self.backbone = backbone
    self.schedule = schedule
    self.parameterization = parameterization
    self.computeType = computeType
  }

  /// The clean estimate of every sample in `x`, all at `level`.
  public func denoise(
    _ x: Tensor, at level: NoiseLevel, given conditioning: Conditioning, context: EvaluationContext
  ) throws(SamplingError) -> Tensor {
    let batch = x.shape.rank > 0 ? x.shape[0] : 1
    let k = parameterization.preconditioning(at: level)
    guard k.isFinite else { throw .undefinedEstimate(alpha: level.alpha, sigma: level.sigma) }
    let time = Tensor([Float](repeating: Float(k.conditioningTime), count: batch), shape: [batch])
    let input =
      k.input == 1
      ? x.cast(to: computeType) : Tensor.linearCombination([(k.input, x)], dtype: computeType)
    context.foresee { parameterization.preconditioning(at: $0).conditioningTime }
    let output = backbone(input, time: time, conditioning: conditioning, context: context)
    return Tensor.linearCombination([(k.skip, x), (k.output, output)], dtype: .float32)
  }

  /// The clean estimates of the samples in `x`, each at its own level, in one call of the network.
  public func denoise(
    _ x: Tensor, atEach levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext
  ) throws(SamplingError) -> Tensor? {
    let scales = levels.map { parameterization.preconditioning(at: $0) }
    if let bad = Swift.zip(levels, scales).first(where: { !$1.isFinite })?.0 {
      throw .undefinedEstimate(alpha: bad.alpha, sigma: bad.sigma)
    }
    let time = Tensor(scales.map { Float($0.conditioningTime) }, shape: [levels.count])
    let input = Tensor.linearCombination(
      perSample: [(scales.map(\.input), x)], dtype: computeType)
    let output = backbone(input, time: time, conditioning: conditioning, context: context)
    return Tensor.linearCombination(
      perSample: [(scales.map(\.skip), x), (scales.map(\.output), output)], dtype: .float32)
  }

  /// Mean squared error of the network's output over the elements of all samples.
  ///
  /// `mean(w · (F(input·x, time) − target)²)`, `x = alpha·clean + sigma·noise`
  ///
  /// - Parameters:
  ///   - clean: `[batch, …]`.
  ///   - noise: unit normals, the shape of `clean`.
  ///   - levels: one for each sample.
  ///   - weight: w of each level; 1 when omitted.
  /// - Returns: float32 scalar, shape `[]`.
  public func loss(
    clean: Tensor, noise: Tensor, at levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext = EvaluationContext(training: true),
    weight: (NoiseLevel) -> Double = { _ in 1 }
  ) -> Tensor {
    let error = lossTerms(
      clean: clean, noise: noise, at: levels, given: conditioning, context: context, weight: weight
    ).error
    return (error * error).mean()
  }

  /// What `loss` is made of: `input = input·x` and `output = F(input, time)` in `computeType`, and
  /// `error = √w · (F − target)`, float32; all of the shape of `clean`.
  public func lossTerms(
    clean: Tensor, noise: Tensor, at levels: [NoiseLevel], given conditioning: Conditioning,
    context: EvaluationContext, weight: (NoiseLevel) -> Double
  ) -> (input: Tensor, output: Tensor, error: Tensor) {
    let preconditionings = levels.map { parameterization.preconditioning(at: $0) }
    let targets = levels.map { parameterization.target(at: $0) }
    // The noisy sample scaled for the network, in one pass.
    let inputs = preconditionings.map(\.input)
    let x = Tensor.linearCombination(
      perSample: [
        (Swift.zip(levels, inputs).map { $0.alpha * $1 }, clean),
        (Swift.zip(levels, inputs).map { $0.sigma * $1 }, noise),
      ], dtype: computeType)
    let time = Tensor(
      preconditionings.map { Float($0.conditioningTime) }, shape: [levels.count])
    let output = backbone(x, time: time, conditioning: conditioning, context: context)
    let scales = levels.map { weight($0).squareRoot() }
    let error = Tensor.linearCombination(
      perSample: [
        (scales, output),
        (Swift.zip(scales, targets).map { -$0 * $1.clean }, clean),
        (Swift.zip(scales, targets).map { -$0 * $1.noise }, noise),
      ], dtype: .float32)
    return (x, output, error)
  }

  /// As above with all samples at one level.
  public func loss(
    clean: Tensor, noise: Tensor, at level: NoiseLevel, given conditioning: Conditioning
  ) -> Tensor {
    let levels = [NoiseLevel](repeating: level, count: clean.shape[0])
    return loss(clean: clean, noise: noise, at: levels, given: conditioning)
  }

  /// Visits the network as `backbone`.
  public mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {
    try visitor.child("backbone", &backbone)
  }
}
