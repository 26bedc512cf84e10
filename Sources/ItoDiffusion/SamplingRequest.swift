public import ItoTensors

/// How the passes of a step are evaluated. The pictures agree to rounding: kernels are chosen by shape, of which the
/// number of samples is a part.
public enum PassExecution: String, Sendable, Hashable, CaseIterable {
  /// All passes in one call of the network, where their conditionings fit together; a cache then has
  /// one session for the whole.
  case batched
  /// One call for each pass: less memory, and a cache session for each.
  case sequential
}

/// Everything a run depends on besides the model and the initial sample.
public struct SamplingRequest: Sendable {
  /// What is asked for.
  public var positive: Conditioning
  /// What is asked against.
  public var negative: Conditioning
  /// The levels.
  public var plan: SamplingPlan
  /// The method.
  public var solver: any Solver
  /// The combination of passes.
  public var guidance: any Guidance
  /// When to reuse activations; nil computes everything.
  public var cache: (any CachePolicy)?
  /// Noise for the steps: the streams that the initial noise was drawn from.
  public var noise: SamplingNoise
  /// How the passes are evaluated.
  public var passes: PassExecution
  /// Computes attention.
  public var attention: any AttentionBackend
  /// The model of passes that ask for a guide: see `PassModel`.
  public var guide: (any Denoiser)?

  /// A request; the negative conditioning matters only to guidance that asks for it.
  public init(
    positive: Conditioning = Conditioning(), negative: Conditioning = Conditioning(),
    plan: SamplingPlan, solver: any Solver, guidance: any Guidance = NoGuidance(),
    cache: (any CachePolicy)? = nil, noise: SamplingNoise, passes: PassExecution = .batched,
    attention: any AttentionBackend = FusedAttention(), guide: (any Denoiser)? = nil
  ) {
    self.positive = positive
    self.negative = negative
    self.plan = plan
    self.solver = solver
    self.guidance = guidance
    self.cache = cache
    self.noise = noise
    self.passes = passes
    self.attention = attention
    self.guide = guide
  }

  /// A request whose steps draw from the stream of `seed`, for one sample.
  public init(
    positive: Conditioning = Conditioning(), negative: Conditioning = Conditioning(),
    plan: SamplingPlan, solver: any Solver, guidance: any Guidance = NoGuidance(),
    cache: (any CachePolicy)? = nil, seed: UInt64
  ) {
    self.init(
      positive: positive, negative: negative, plan: plan, solver: solver, guidance: guidance,
      cache: cache, noise: SamplingNoise(seed: seed))
  }
}

/// What a run gives.
public struct SamplingResult: Sendable {
  /// The sample at the last level.
  public var latent: Tensor
  /// What the cache did.
  public var cache: CacheStatistics
  /// Passes evaluated: two for each guided estimate.
  public var evaluations: Int
  /// Passes that guidance did without where it elsewhere asked for them: on a limited interval, or
  /// once the estimates agreed.
  public var savedEvaluations: Int
  /// Calls of the denoiser one after the other: fewer than there are steps for methods that are
  /// parallel in time.
  public var rounds: Int
}
