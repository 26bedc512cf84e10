import ItoComponents
import ItoDiffusion
import ItoImages
import ItoModels
import ItoPipelines
import ItoTensors

/// The sheets of pictures that a run draws now and then, from the recipe's prompts and always the same noise.
struct TrainingSamples {
  let prompts: [String]
  let positive: Conditioning, negative: Conditioning
  let codec: any LatentCodec
  let latentShape: Shape
  let sampling: Recipe.Sampling
  let folder: String

  private static let columns = 6

  /// Draws the sheet of `step` with `model`; returns its file.
  func draw<B: RegisteredBackbone>(
    _ model: PreconditionedDenoiser<B>, step: Int
  ) throws -> String {
    let spacing = try Registry<any StepSpacing>.builtin.make(sampling.spacing)
    let solver = try Registry<any Solver>.builtin.make(sampling.solver)
    let guidance = try Registry<any Guidance>.builtin.make(sampling.guidance)
    let plan = try plan(spacing, model.schedule)
    var shape = latentShape.dims
    shape[0] = prompts.count
    var noise = SamplingNoise(seed: 0, count: prompts.count, engine: .philox)
    let unit = try noise.normal(Shape(shape))
    let latent = try sample(
      Tensor.linearCombination([(plan.levels[0].sigma, unit)]), with: model,
      SamplingRequest(
        positive: positive, negative: negative, plan: plan, solver: solver, guidance: guidance,
        noise: noise)
    ).latent
    let pictures = try PixelImage.images(from: codec.decode(latent), range: .signed)
    var sheet = ContactSheet(columns: min(Self.columns, prompts.count))
    sheet.captions = prompts
    try makeFolder(folder)
    let digits = String(step)
    let file =
      "\(folder)/step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".png"
    try sheet.draw(pictures).write(file)
    return file
  }

  private func plan(
    _ spacing: some StepSpacing, _ schedule: some NoiseSchedule
  ) throws -> SamplingPlan {
    try SamplingPlan(steps: sampling.steps, spacing: spacing, schedule: schedule)
  }
}
