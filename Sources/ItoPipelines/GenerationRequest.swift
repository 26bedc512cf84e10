public import ItoComponents
public import ItoDiffusion
public import ItoTensors

/// What to draw.
public struct GenerationRequest: Sendable {
  /// What is asked for, one picture each.
  public var prompts: [Prompt]
  /// Seed of the first picture; picture k has seed `seed + k`.
  public var seed: UInt64
  /// Size in pixels; the model's own when nil.
  public var height: Int?, width: Int?
  /// What to start from; noise alone when nil.
  public var start: StartingPoint?
  /// The part of the run to do, as shares of the way from noise to picture: a base model may do
  /// `0...0.8` and a refiner `0.8...1`.
  public var part: ClosedRange<Double> = 0...1
  /// What networks are told of sizes and crops; plain pictures when nil.
  public var facts: PictureFacts?
  /// Steps, method, levels and guidance; the model's own when nil.
  public var steps: Int?
  public var solver: ComponentChoice?, spacing: ComponentChoice?, guidance: ComponentChoice?
  /// Where random numbers come from.
  public var engine: NoiseSource.Engine
  /// Pictures evaluated together, the model's own choice when nil; the result does not depend on it
  /// beyond rounding.
  public var batchSize: Int?
  /// How the passes of guidance are evaluated; in one batch when nil.
  public var passes: PassExecution?
  /// Computes attention.
  public var attention: any AttentionBackend
  /// When to reuse activations; nil computes everything.
  public var cache: (any CachePolicy)?

  /// Pictures of `prompts` with the model's own settings.
  public init(
    prompts: [Prompt], seed: UInt64 = 0, height: Int? = nil, width: Int? = nil,
    start: StartingPoint? = nil, steps: Int? = nil, solver: ComponentChoice? = nil,
    spacing: ComponentChoice? = nil, guidance: ComponentChoice? = nil,
    engine: NoiseSource.Engine = .torch, batchSize: Int? = nil,
    passes: PassExecution? = nil, attention: any AttentionBackend = FusedAttention(),
    cache: (any CachePolicy)? = nil
  ) {
    self.prompts = prompts
    self.seed = seed
    self.height = height
    self.width = width
    self.start = start
    self.steps = steps
    self.solver = solver
    self.spacing = spacing
    self.guidance = guidance
    self.engine = engine
    self.batchSize = batchSize
    self.passes = passes
    self.attention = attention
    self.cache = cache
  }

  /// Pictures of the classes with the given numbers.
  public init(
    labels: [Int], seed: UInt64 = 0, height: Int? = nil, width: Int? = nil, steps: Int? = nil,
    solver: ComponentChoice? = nil, spacing: ComponentChoice? = nil,
    guidance: ComponentChoice? = nil, engine: NoiseSource.Engine = .torch, batchSize: Int? = nil,
    passes: PassExecution? = nil
  ) {
    self.init(
      prompts: labels.map { Prompt("\($0)") }, seed: seed, height: height, width: width,
      steps: steps, solver: solver, spacing: spacing, guidance: guidance, engine: engine,
      batchSize: batchSize, passes: passes)
  }

  /// Throws for numbers that no model can serve.
  func validate() throws(PipelineError) {
    guard !prompts.isEmpty else { throw .request("no picture was asked for") }
    if let batchSize, batchSize < 1 {
      throw .request("a batch of \(batchSize) pictures; at least 1 is needed")
    }
    if let steps, !(1...10000).contains(steps) {
      throw .request("\(steps) steps; ask for 1 to 10000")
    }
    try start?.validate()
    guard 0...1 ~= part.lowerBound, 0...1 ~= part.upperBound, part.lowerBound < part.upperBound
    else { throw .request("the part \(part) of a run; give two numbers from 0 to 1") }
    for side in [height, width].compactMap({ $0 }) where !(1...16384).contains(side) {
      throw .request("a side of \(side) pixels; ask for 1 to 16384")
    }
  }
}

/// Where a run is: for progress bars and previews.
public struct GenerationProgress: Sendable {
  /// Steps done and in all, counting every batch.
  public var done: Int, total: Int
  /// Number of the first picture of the batch at hand.
  public var firstPicture: Int
  /// The sample after the step, `[batch, …]`, still noisy.
  public var latent: Tensor
  /// The network's last estimate of the clean sample, of the same shape: a preview.
  public var clean: Tensor
}
