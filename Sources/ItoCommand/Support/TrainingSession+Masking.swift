import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors
import ItoTraining

extension TrainingSession {
  /// Trains a denoiser, with a share of its tokens hidden where the recipe says so.
  func fit<B: RegisteredBackbone, S: BatchSource>(
    _ model: PreconditionedDenoiser<B>, _ objective: DenoisingObjective<B>, _ data: S, _ test: S?,
    samples: ((PreconditionedDenoiser<B>, Int) throws -> String)? = nil
  ) throws -> PreconditionedDenoiser<B> where S.Batch == ImageBatch {
    guard let choice = recipe.diffusion.masking else {
      return try train(model, objective, data, test, samples: samples)
    }
    let masking = try Registry<TokenMasking>.builtin.make(choice)
    guard objective.routing == nil else {
      throw CommandFailure(
        "\(recipe.file): \"diffusion.masking\" and \"diffusion.routing\" do not go together; leave one out"
      )
    }
    let network = model.backbone
    guard let squares = network.tokenSquares, network.routableBlocks >= masking.fewestBlocks else {
      throw CommandFailure(
        "\(recipe.file): \"diffusion.masking\" hides squares of the picture from a transformer of at "
          + "least \(masking.fewestBlocks) blocks, which is all that sees them; use a "
          + "DiTTransformer2DModel, or leave it out")
    }
    let shape = data.batch(at: 0, count: 1).images.shape
    var initial = ParameterInitializer(seed: recipe.seed)
    let masked = MaskedBackbone(
      network, patch: squares.side,
      tokens: (shape[1] / squares.side) * (shape[2] / squares.side), features: squares.features,
      &initial)
    func bare(_ model: PreconditionedDenoiser<MaskedBackbone<B>>) -> PreconditionedDenoiser<B> {
      model.replacingBackbone(model.backbone.backbone)
    }
    return bare(
      try train(
        model.replacingBackbone(masked), MaskedDenoisingObjective(objective, masking: masking),
        data,
        test, samples: samples.map { draw in { try draw(bare($0), $1) } }))
  }
}
