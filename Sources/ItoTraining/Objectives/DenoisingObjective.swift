public import ItoDiffusion
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Trains a denoiser: add noise at a random level, ask for the clean picture, weigh the error.
///
/// `mean(w(level) · (F(input·x, time) − target)²)`, `x = alpha·clean + sigma·noise`, one level for each
/// sample. With `dropout`, that share of the samples is shown as unconditional, which is what
/// classifier-free guidance needs.
///
/// - Source: Ho et al. 2020, arXiv:2006.11239; dropout of the conditioning after Ho & Salimans 2022,
///   *Classifier-Free Diffusion Guidance*, arXiv:2207.12598, algorithm 1.
public struct DenoisingObjective<B: Backbone>: TrainingObjective {
  /// Which levels are trained.
  public var times: any TimeSampling
  /// How much each level counts.
  public var weighting: any LossWeighting
  /// Spread the levels of a batch evenly over their distribution, one in each `1/batch` of it, rather
  /// than draw each on its own. The loss is the same on average and varies less.
  ///
  /// - Source: Kingma et al. 2021, *Variational Diffusion Models*, arXiv:2107.00630, appendix I.1.
  public var isStratified: Bool
  /// Which noise goes to which sample.
  public var pairing: any NoisePairing
  /// Tokens that skip blocks of a transformer; nil: none.
  public var routing: TokenRouting?
  /// The share of samples shown without their conditioning.
  public var dropout: Double
  /// The conditioning of one unconditional sample: for a class-conditional network its null class,
  /// for a text-conditional one the encoded empty prompt. Fields it does not have are never dropped.
  public var unconditional: Conditioning

  /// An objective; by default uniform times, plain weighting and no dropout.
  public init(
    times: any TimeSampling = UniformTimes(), weighting: any LossWeighting = PlainWeighting(),
    isStratified: Bool = true, pairing: any NoisePairing = IndependentNoise(),
    routing: TokenRouting? = nil, dropout: Double = 0,
    unconditional: Conditioning = Conditioning()
  ) {
    self.times = times
    self.weighting = weighting
    self.isStratified = isStratified
    self.pairing = pairing
    self.routing = routing
    self.dropout = dropout
    self.unconditional = unconditional
  }

  /// As above for a class-conditional network whose null class is number `nullLabel`.
  public init(
    times: any TimeSampling = UniformTimes(), weighting: any LossWeighting = PlainWeighting(),
    isStratified: Bool = true, pairing: any NoisePairing = IndependentNoise(),
    routing: TokenRouting? = nil, dropout: Double, nullLabel: Int32
  ) {
    self.init(
      times: times, weighting: weighting, isStratified: isStratified, pairing: pairing,
      routing: routing, dropout: dropout,
      unconditional: Conditioning(label: Tensor([nullLabel], shape: [1])))
  }

  /// The loss; draws the levels, then which samples lose their conditioning, then the noise. What tokens
  /// skip comes from a stream of its own.
  public func loss(
    of model: PreconditionedDenoiser<B>, on batch: ImageBatch, noise: inout NoiseSource
  ) -> Tensor {
    let draw = draw(batch, on: model.schedule, noise: &noise)
    let context = EvaluationContext(routing: routing, noise: noise.stream(0))
    return model.loss(
      clean: draw.clean, noise: draw.noise, at: draw.levels, given: draw.conditioning,
      context: context
    ) { weight(at: $0, model.parameterization) }
  }

  /// What a network is shown of a batch.
  struct Draw {
    var clean: Tensor, noise: Tensor
    var levels: [NoiseLevel]
    var conditioning: Conditioning
  }

  func draw(_ batch: ImageBatch, on schedule: any NoiseSchedule, noise: inout NoiseSource) -> Draw {
    let clean = batch.images.cast(to: .float32)
    let levels = levels(count: batch.count, on: schedule, noise: &noise)
    let conditioning = dropping(from: batch.fullConditioning, count: batch.count, noise: &noise)
    return Draw(
      clean: clean, noise: pairing.paired(noise.normal(clean.shape), with: clean), levels: levels,
      conditioning: conditioning)
  }

  /// How much the error of the network's output at `level` counts.
  func weight(at level: NoiseLevel, _ parameterization: any Parameterization) -> Double {
    // At the ends, where a ratio of the two is not defined, the weight is that of close by.
    var near = level
    near.alpha = max(level.alpha, 1e-6)
    near.sigma = max(level.sigma, 1e-6)
    return weighting.outputWeight(at: near, parameterization.preconditioning(at: near))
  }

  /// The loss with every sample's conditioning kept, and `clean_error`: the mean squared error of the clean
  /// estimate at levels that no setting changes, so that models trained in different ways can be compared.
  /// The ratios `sigma / alpha = q / (1 − q)` have q spread evenly over 0…1.
  public func measures(
    of model: PreconditionedDenoiser<B>, on batch: ImageBatch, noise: inout NoiseSource
  ) -> [(name: String, value: Double)] {
    var kept = self
    kept.dropout = 0
    kept.routing = nil
    let loss = kept.loss(of: model, on: batch, noise: &noise)
    let clean = batch.images.cast(to: .float32)
    let levels = (0..<batch.count).map { i in
      let q = (Double(i) + 0.5) / Double(batch.count)
      return model.schedule.level(noiseToSignal: q / (1 - q))
    }
    let parameterization = model.parameterization
    let error = model.loss(
      clean: clean, noise: noise.normal(clean.shape), at: levels, given: batch.fullConditioning
    ) { level in
      let output = parameterization.preconditioning(at: level).output
      return output * output
    }
    return [("loss", Double(loss.item)), ("clean_error", Double(error.item))]
  }

  func levels(
    count: Int, on schedule: any NoiseSchedule, noise: inout NoiseSource
  ) -> [NoiseLevel] {
    (0..<count).map { i in
      let u = noise.uniform()
      let quantile = isStratified ? (Double(i) + u) / Double(count) : u
      return times.level(at: min(max(quantile, 1e-9), 1 - 1e-9), on: schedule)
    }
  }

  func dropping(
    from conditioning: Conditioning, count: Int, noise: inout NoiseSource
  ) -> Conditioning {
    guard dropout > 0 else { return conditioning }
    // Row `count` of what is gathered from is the unconditional sample.
    let rows = (0..<count).map { noise.uniform() < dropout ? Int64(count) : Int64($0) }
    guard rows.contains(Int64(count)) else { return conditioning }
    let index = Tensor(rows, shape: [count])
    var result = conditioning
    if let mask = conditioning.mask, let blank = unconditional.mask {
      // Prompts of other lengths are padded, which masks allow.
      let parts = [(conditioning.tokens, mask), (unconditional.tokens, blank)]
      let all = Conditioning.batched(parts.map { Conditioning(tokens: $0, mask: $1) })
      guard let all else { trap("prompts that do not fit the unconditional one") }
      result.tokens = all.tokens?.indexSelected(index)
      result.mask = all.mask?.indexSelected(index)
    }
    for field in [\Conditioning.tokens, \.pooled, \.label, \.image] {
      guard field != \.tokens || conditioning.mask == nil,
        let value = conditioning[keyPath: field], let blank = unconditional[keyPath: field]
      else { continue }
      guard let all = Tensor.batched([value, blank.cast(to: value.dtype)]) else {
        trap("conditioning of shape \(value.shape) with an unconditional sample of \(blank.shape)")
      }
      result[keyPath: field] = all.indexSelected(index)
    }
    return result
  }
}
