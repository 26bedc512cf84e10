public import ItoComponents
public import ItoDiffusion
public import ItoImages
import ItoModels
import ItoModules
public import ItoTensors

/// What to draw.
public struct GenerationRequest: Sendable {
  /// Class numbers, one a picture.
  public var labels: [Int]
  /// Seed of the first picture; picture k has seed `seed + k`.
  public var seed: UInt64
  /// Size in pixels; the model's own when nil.
  public var height: Int?, width: Int?
  /// Steps, method, levels and guidance; the model's own when nil.
  public var steps: Int?
  public var solver: ComponentChoice?, spacing: ComponentChoice?, guidance: ComponentChoice?
  /// Where random numbers come from.
  public var engine: NoiseSource.Engine
  /// Pictures evaluated together; the result does not depend on it beyond rounding.
  public var batchSize: Int
  /// How the passes of guidance are evaluated.
  public var passes: PassExecution

  /// Pictures of `labels` with the model's own settings.
  public init(
    labels: [Int], seed: UInt64 = 0, height: Int? = nil, width: Int? = nil, steps: Int? = nil,
    solver: ComponentChoice? = nil, spacing: ComponentChoice? = nil,
    guidance: ComponentChoice? = nil, engine: NoiseSource.Engine = .torch, batchSize: Int = 64,
    passes: PassExecution = .batched
  ) {
    self.labels = labels
    self.seed = seed
    self.height = height
    self.width = width
    self.steps = steps
    self.solver = solver
    self.spacing = spacing
    self.guidance = guidance
    self.engine = engine
    self.batchSize = batchSize
    self.passes = passes
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
}

/// A class-conditional model from a folder, ready to draw. A value: one loaded model may be shared by
/// any number of concurrent tasks.
public struct ImageGenerator: Sendable {
  /// What the folder says of itself.
  public let manifest: ModelManifest
  /// The model.
  public let denoiser: any Denoiser
  /// Between pictures and latents.
  public let codec: any LatentCodec

  /// A generator of given parts.
  public init(manifest: ModelManifest, denoiser: any Denoiser, codec: any LatentCodec) {
    self.manifest = manifest
    self.denoiser = denoiser
    self.codec = codec
  }

  /// Loads `folder`: `model.json` and the weights it names.
  ///
  /// - Parameter precision: element type to compute in; the stored one when nil.
  /// - Throws: when a file is missing, damaged, holds numbers that are not finite, or does not match
  ///   the network.
  public init(folder: String, precision: DType? = nil) throws(PipelineError) {
    let manifest = try ModelManifest(folder: folder)
    guard manifest.task == .generate else {
      throw .request("\(folder) is a classifier, not a model that draws")
    }
    let backbone = try loadNetwork(folder: folder, manifest) {
      (json, initial) throws(ModelError) in try BackboneFamily.make(json, &initial)
    }
    let (schedule, parameterization, codec) = try wrapping(PipelineError.option) {
      () throws(OptionError) in
      (
        try Registry<any NoiseSchedule>.builtin.make(manifest.schedule),
        try Registry<any Parameterization>.builtin.make(manifest.parameterization),
        try Registry<any LatentCodec>.builtin.make(manifest.codec)
      )
    }
    self.init(
      manifest: manifest,
      denoiser: Self.denoiser(backbone, schedule, parameterization, precision ?? .float32),
      codec: codec)
  }

  private static func denoiser<B: RegisteredBackbone>(
    _ backbone: B, _ schedule: any NoiseSchedule, _ parameterization: any Parameterization,
    _ precision: DType
  ) -> any Denoiser {
    PreconditionedDenoiser(
      backbone.converted(to: precision), schedule: schedule, parameterization: parameterization,
      computeType: precision)
  }

  /// The steps, method and guidance that `request` comes down to.
  public func plan(
    for request: GenerationRequest
  ) throws(PipelineError) -> (plan: SamplingPlan, solver: any Solver, guidance: any Guidance) {
    let (solver, spacing, guidance) = try wrapping(PipelineError.option) {
      () throws(OptionError) in
      (
        try Registry<any Solver>.builtin.make(request.solver ?? manifest.solver),
        try Registry<any StepSpacing>.builtin.make(request.spacing ?? manifest.spacing),
        try Registry<any Guidance>.builtin.make(request.guidance ?? manifest.guidance)
      )
    }
    let schedule = denoiser.schedule
    let plan = try Self.makePlan(request.steps ?? manifest.steps, spacing, schedule)
    return (plan, solver, guidance)
  }

  private static func makePlan(
    _ steps: Int, _ spacing: some StepSpacing, _ schedule: some NoiseSchedule
  ) throws(PipelineError) -> SamplingPlan {
    do throws(SamplingError) {
      return try SamplingPlan(steps: steps, spacing: spacing, schedule: schedule)
    } catch {
      throw .sampling(error)
    }
  }

  private static func run<D: Denoiser>(
    _ initial: Tensor, _ denoiser: D, _ request: SamplingRequest,
    _ isCancelled: @escaping () -> Bool, _ onStep: (StepInfo, Tensor) -> Void
  ) throws(PipelineError) -> Tensor {
    do throws(SamplingError) {
      return try sample(
        initial, with: denoiser, request, isCancelled: isCancelled, onStep: onStep
      ).latent
    } catch {
      throw .sampling(error)
    }
  }

  /// Draws the pictures, batch by batch.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before every evaluation of the network.
  ///   - onStep: told after every step.
  public func generate(
    _ request: GenerationRequest, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in }
  ) throws(PipelineError) -> [PixelImage] {
    let tensor = try generateTensor(request, isCancelled: isCancelled, onStep: onStep)
    return try wrapping({ PipelineError.request("the pictures cannot be shown: \($0)") }) {
      () throws(ImageError) in try PixelImage.images(from: tensor, range: .signed)
    }
  }

  /// As `generate`, giving `[pictures, height, width, channels]` in −1…1.
  public func generateTensor(
    _ request: GenerationRequest, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in }
  ) throws(PipelineError) -> Tensor {
    try check(request)
    let (plan, solver, guidance) = try plan(for: request)
    let (height, width) = (request.height ?? manifest.height, request.width ?? manifest.width)
    let denoiser = self.denoiser
    let total = request.labels.count
    let batches = stride(from: 0, to: total, by: request.batchSize).map {
      $0..<min(total, $0 + request.batchSize)
    }
    var parts: [Tensor] = []
    for (index, range) in batches.enumerated() {
      let shape = try codec.latentShape(
        height: height, width: width, channels: manifest.channels, count: range.count)
      var noise = SamplingNoise(
        seed: request.seed &+ UInt64(range.lowerBound), count: range.count, engine: request.engine)
      let conditioning = labelled(Array(request.labels[range]))
      let unit = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try noise.normal(shape)
      }
      let latent = try Self.run(
        Tensor.linearCombination([(plan.levels[0].sigma, unit)]), denoiser,
        SamplingRequest(
          positive: conditioning.positive, negative: conditioning.negative, plan: plan,
          solver: solver, guidance: guidance, noise: noise, passes: request.passes),
        isCancelled
      ) { step, latent in
        onStep(
          GenerationProgress(
            done: index * plan.stepCount + step.index + 1,
            total: batches.count * plan.stepCount, firstPicture: range.lowerBound,
            latent: latent))
      }
      parts.append(codec.decode(latent))
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// Labels as asked for, and the null class as what guidance pushes away from.
  private func labelled(_ labels: [Int]) -> (positive: Conditioning, negative: Conditioning) {
    guard !manifest.labels.isEmpty else { return (Conditioning(), Conditioning()) }
    let null = Int32(manifest.labels.count)
    return (
      Conditioning(label: Tensor(labels.map { Int32($0) }, shape: [labels.count])),
      Conditioning(
        label: Tensor([Int32](repeating: null, count: labels.count), shape: [labels.count]))
    )
  }

  private func check(_ request: GenerationRequest) throws(PipelineError) {
    guard !request.labels.isEmpty else { throw .request("no picture was asked for") }
    guard request.batchSize >= 1 else {
      throw .request("a batch of \(request.batchSize) pictures; at least 1 is needed")
    }
    if let steps = request.steps, !(1...10000).contains(steps) {
      throw .request("\(steps) steps; ask for 1 to 10000")
    }
    for side in [request.height, request.width].compactMap({ $0 }) where !(1...16384).contains(side)
    {
      throw .request("a side of \(side) pixels; ask for 1 to 16384")
    }
    let count = manifest.labels.count
    if count > 0, let bad = request.labels.first(where: { !(0..<count).contains($0) }) {
      throw .request("class \(bad) does not exist; this model has classes 0 to \(count - 1)")
    }
  }
}
