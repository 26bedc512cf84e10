public import ItoDiffusion
public import ItoImages
import ItoTensors

extension ImageGenerator {
  /// Draws with this model until `share` of the way and with `refiner` from there, as SDXL's base and
  /// refiner are meant to be used. Both denoise the same kind of latents.
  ///
  /// - Parameters:
  ///   - share: of the way from noise to picture, inside 0…1.
  ///   - onStep: told after every step of both, which count together.
  ///   - onResult: told after every batch of either what it took.
  public func generate(
    _ request: GenerationRequest, refiner: ImageGenerator, from share: Double = 0.8,
    isCancelled: @escaping () -> Bool = { false },
    onStep: (GenerationProgress) -> Void = { _ in },
    onResult: (SamplingResult) -> Void = { _ in }
  ) throws(PipelineError) -> [PixelImage] {
    guard share > 0, share < 1 else {
      throw .request("a refiner from \(share) of the way; give more than 0 and less than 1")
    }
    guard refiner.layout == layout else {
      throw .request(
        "\(refiner.name) cannot refine what \(name) draws: their latents are of different kinds")
    }
    let size = size(for: request)
    var first = request
    (first.height, first.width, first.part) = (size.height, size.width, 0...share)
    var second = first
    second.part = share...1
    let steps = try (plan(for: first).plan.stepCount, refiner.plan(for: second).plan.stepCount)
    func scaled(_ progress: GenerationProgress, _ before: Int, _ own: Int) -> GenerationProgress {
      var progress = progress
      let runs = progress.total / own
      (progress.done, progress.total) = (runs * before + progress.done, runs * (steps.0 + steps.1))
      return progress
    }
    let latents = try generateLatents(
      first, isCancelled: isCancelled, onStep: { onStep(scaled($0, 0, steps.0)) },
      onResult: onResult)
    second.start = StartingPoint(latents: latents)
    return try refiner.generate(
      second, isCancelled: isCancelled, onStep: { onStep(scaled($0, steps.0, steps.1)) },
      onResult: onResult)
  }
}
