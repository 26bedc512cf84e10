import ItoComponents
import ItoDiffusion
import ItoImages
import ItoTensors

extension Parity.Handler {
  /// Whole pipelines: a model folder of a hub, the runs in `config.json` by the names of diffusers'
  /// arguments, and what came of each under its seed.
  static let pipeline = Parity.Handler(
    handles: { golden in golden.configuration["runs"]?.array != nil },
    run: { golden throws(PipelineError) in
      let generator = try ImageGenerator(
        golden.model ?? golden.path, options: LoadingOptions(configurations: golden.path))
      var reports: [ParityReport] = []
      for run in golden.configuration["runs"]?.array ?? [] {
        let key = "seed\(run["seed"]?.int ?? 0)"
        let request = try request(run, key, golden, generator)
        var latents = try generator.generateLatents(request)
        if let last = try generator.plan(for: request).plan.levels.last {
          latents = generator.sampler.publishedSample(latents, at: last)
        }
        reports.append(
          ParityReport(
            "\(key).latent", ours: latents.channelsFirst,
            golden: try golden.tensor("out.\(key).latent"), tolerance: pipelineTolerance))
        let pictures = try generator.decode(latents)
        let unit = Tensor.linearCombination([(0.5, pictures)]) + 0.5
        reports.append(
          ParityReport(
            "\(key).image", ours: unit.clamped(to: 0...1).channelsFirst,
            golden: try golden.tensor("out.\(key).image"), tolerance: nil,
            allowance: pictureAllowance))
      }
      return reports
    })

  /// The request that a call of diffusers' pipeline comes down to.
  private static func request(
    _ run: JSONValue, _ key: String, _ golden: GoldenFolder, _ generator: ImageGenerator
  ) throws(PipelineError) -> GenerationRequest {
    let known: Set<String> = [
      "seed", "prompt", "negative_prompt", "height", "width", "steps", "guidance_scale",
      "clip_skip", "strength", "denoising_end", "eta", "guidance_rescale", "original_size",
      "crops_coords_top_left", "target_size", "negative_original_size", "negative_target_size",
    ]
    if let stranger = run.object?.keys.first(where: { !known.contains($0) }) {
      throw .request("\(golden.path)/config.json: a run with \"\(stranger)\" is not supported")
    }
    var request = GenerationRequest(
      prompts: [
        Prompt(
          run["prompt"]?.string ?? "", negative: run["negative_prompt"]?.string,
          overflow: .truncated, clipSkip: run["clip_skip"]?.int)
      ], seed: UInt64(run["seed"]?.int ?? 0), height: run["height"]?.int, width: run["width"]?.int,
      steps: run["steps"]?.int)
    let scale = run["guidance_scale"]?.double
    request.guidance = scale.map { generator.guidance(scale: $0) }
    if let rescale = run["guidance_rescale"]?.double, let scale {
      request.guidance = generator.guidance(scale: scale, rescale: rescale)
    }
    if let eta = run["eta"]?.double {
      request.solver = ComponentChoice("ddim", options: ["eta": .double(eta)])
    }
    if let end = run["denoising_end"]?.double { request.part = 0...end }
    if let picture = try golden.optional("in.\(key).init") {
      let mask = try golden.optional("in.\(key).mask")
      request.start = StartingPoint(
        picture: pixels(picture), strength: run["strength"]?.double, mask: mask.map(pixels))
    }
    request.facts = facts(run)
    return request
  }

  /// An 8-bit picture stored as `[height, width, channels]`.
  private static func pixels(_ tensor: Tensor) -> PixelImage {
    PixelImage(
      width: tensor.shape[1], height: tensor.shape[0], channels: tensor.shape[2],
      pixels: tensor.integers.map { UInt8(truncatingIfNeeded: $0) })
  }

  private static func facts(_ run: JSONValue) -> PictureFacts? {
    func size(_ key: String) -> PixelSize? {
      guard let pair = run[key]?.array?.compactMap(\.int), pair.count == 2 else { return nil }
      return PixelSize(height: pair[0], width: pair[1])
    }
    guard let original = size("original_size") else { return nil }
    let crop = size("crops_coords_top_left")
    return PictureFacts(
      height: original.height, width: original.width, originalSize: original,
      cropTop: crop?.height ?? 0, cropLeft: crop?.width ?? 0, targetSize: size("target_size"),
      negativeOriginalSize: size("negative_original_size"),
      negativeTargetSize: size("negative_target_size"))
  }
}
