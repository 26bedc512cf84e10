import ItoComponents
public import ItoDiffusion
public import ItoImages
public import ItoTensors

extension ImageGenerator {
  /// Draws the pictures, batch by batch.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before every evaluation of the network.
  ///   - onStep: told after every step.
  ///   - onResult: told after every batch what it took.
  public func generate(
    _ request: GenerationRequest, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in },
    onResult: (SamplingResult) -> Void = { _ in }
  ) throws(PipelineError) -> [PixelImage] {
    let tensor = try generateTensor(
      request, isCancelled: isCancelled, onStep: onStep, onResult: onResult)
    let images = try wrapping({ PipelineError.request("the pictures cannot be shown: \($0)") }) {
      () throws(ImageError) in try PixelImage.images(from: tensor, range: .signed)
    }
    return finished(images, request)
  }

  /// As `generate`, giving `[pictures, height, width, channels]` in −1…1 as the codec makes them.
  public func generateTensor(
    _ request: GenerationRequest, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in },
    onResult: (SamplingResult) -> Void = { _ in }
  ) throws(PipelineError) -> Tensor {
    let latents = try generateLatents(
      request, isCancelled: isCancelled, onStep: onStep, onResult: onResult)
    return try decode(latents, count: request.batchSize ?? defaults.batchSize)
  }

  /// As `generate`, giving the latents, `[pictures, height, width, channels]`.
  public func generateLatents(
    _ request: GenerationRequest, isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in },
    onResult: (SamplingResult) -> Void = { _ in }
  ) throws(PipelineError) -> Tensor {
    let runs = try prepare(request)
    let stage = try denoiser.open()
    let total = runs.reduce(0) { $0 + $1.request.plan.stepCount }
    var done = 0
    var latents: [Tensor] = []
    do throws(PipelineError) {
      for run in runs {
        let result = try Self.sampled(run, stage.part, isCancelled) { latent, clean in
          done += 1
          onStep(
            GenerationProgress(
              done: done, total: total, firstPicture: run.pictures.lowerBound, latent: latent,
              clean: clean))
        }
        onResult(result)
        latents.append(result.latent)
      }
    } catch {
      // A weight that is not finite is a better explanation than a result that is not.
      try stage.finish()
      throw error
    }
    try stage.finish()
    return Tensor.concatenated(latents, axis: 0)
  }

  /// Pictures of latents, `count` at a time, in −1…1.
  public func decode(_ latents: Tensor, count: Int = 1) throws(PipelineError) -> Tensor {
    let stage = try codec.open()
    let total = latents.shape[0]
    let parts = stride(from: 0, to: total, by: max(1, count)).map {
      stage.part.decode(latents.sliced($0..<min(total, $0 + max(1, count)), axis: 0))
    }
    try stage.finish()
    return Tensor.concatenated(parts, axis: 0)
  }

  private static func sampled<D: Denoiser>(
    _ run: PreparedRun, _ denoiser: D, _ isCancelled: @escaping () -> Bool,
    _ onStep: (Tensor, Tensor) -> Void
  ) throws(PipelineError) -> SamplingResult {
    var estimate = run.initial
    return try wrapping(PipelineError.sampling) { () throws(SamplingError) in
      try sample(
        run.initial, with: denoiser, run.request, isCancelled: isCancelled,
        onEstimate: { _, _, clean in estimate = clean },
        onStep: { _, latent in onStep(latent, estimate) })
    }
  }

  /// The pictures with what the mask leaves as it was taken from the picture that was given.
  private func finished(_ images: [PixelImage], _ request: GenerationRequest) -> [PixelImage] {
    let size = size(for: request)
    guard let start = request.start, start.keepsUnmasked,
      let mask = start.scaledMask(height: size.height, width: size.width),
      let picture = start.scaledPicture(height: size.height, width: size.width)
    else { return images }
    return images.map { $0.rgb().composited(over: picture, mask: mask) }
  }
}
