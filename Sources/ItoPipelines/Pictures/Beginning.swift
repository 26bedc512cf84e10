import ItoDiffusion
import ItoImages
import ItoTensors

/// How the runs of a request begin: from noise, from a picture, from part of one, or where another run
/// stopped. Random numbers are drawn in the order in which diffusers' pipelines draw them.
struct Beginning {
  private let start: StartingPoint?
  private let codec: (any LatentCodec)?
  private let takesMaskedPicture: Bool
  /// The picture, `[1, height, width, 3]` in −1…1.
  private let picture: Tensor?
  /// 1 where it is redrawn, `[1, height, width, 1]`, in pixels.
  private let mask: Tensor?

  init(
    _ generator: ImageGenerator, _ request: GenerationRequest, _ size: PixelSize
  ) throws(PipelineError) {
    start = request.start
    takesMaskedPicture = generator.takesMaskedPicture
    picture = start?.scaledPicture(height: size.height, width: size.width).map {
      let channels = generator.defaults.channels
      return Tensor([channels == 3 ? $0 : $0.converted(toChannels: channels)], range: .signed)
    }
    mask = start?.scaledMask(height: size.height, width: size.width)?.redrawn()
    codec = picture == nil ? nil : try generator.codec.load()
    if case .latents(let latents)? = start?.content {
      let shape = try generator.layout.shape(
        height: size.height, width: size.width, count: request.prompts.count)
      guard latents.shape == shape else {
        throw .request("latents \(latents.shape) to start from, where \(shape) are needed")
      }
    }
  }

  /// Completes `run`, whose latents have `shape`.
  func begin(
    _ run: inout PreparedRun, _ shape: Shape, _ sampler: SamplerConfiguration
  ) throws(SamplingError) {
    if case .latents(let latents)? = start?.content {
      run.initial = latents.sliced(run.pictures, axis: 0)
      return
    }
    let plan = run.request.plan
    guard let picture, let codec, let start else {
      let noise = try run.request.noise.normal(shape)
      run.initial = sampler.initialSample(noise, for: plan)
      return
    }
    let fromNoise = mask != nil && start.strength == 1
    var clean: Tensor?
    if !(takesMaskedPicture && fromNoise) {
      clean = try codec.encode(picture, count: shape[0], noise: &run.request.noise)
    }
    let noise = try run.request.noise.normal(shape)
    if let clean, !fromNoise, let level = plan.levels.first {
      run.initial = level.mix(clean: clean, noise: noise)
    } else {
      run.initial = sampler.initialSample(noise, for: plan)
    }
    guard let mask else { return }
    let small = mask.resizedNearest(height: shape[1], width: shape[2])
    // Encoded even for a network that has no use for it, because the steps' noise comes after its draw.
    let masked = try codec.encode(
      picture * (1 - mask), count: shape[0], noise: &run.request.noise)
    if takesMaskedPicture {
      let image = Tensor.concatenated([small.repeated(shape[0]), masked], axis: -1)
      run.request.positive.image = image
      run.request.negative.image = image
    } else if let clean {
      run.request.solver = run.request.solver.repainting(mask: small, clean: clean, noise: noise)
    }
  }
}
