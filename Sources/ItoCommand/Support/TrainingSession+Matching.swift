import ItoComponents
import ItoDiffusion
import ItoModels
import ItoPipelines
import ItoTensors
import ItoTraining

extension TrainingSession {
  /// Trains a network that matches pictures with captions, on the sentence vectors of a text encoder that
  /// stays as it is.
  func trainMatcher(_ network: PictureTextEncoder) throws {
    guard let text = recipe.text else {
      throw CommandFailure(
        "\(recipe.file): \"text.encoder\" is missing; pictures are matched with captions as a text "
          + "encoder sees them")
    }
    let (training, test) = try openData()
    let captions = try PromptedTraining(text, isQuiet: isQuiet)
      .encode([training] + (test.map { [$0] } ?? []))
    let features = captions.unconditional.pooled?.shape[1] ?? 0
    guard network.textFeatures == features, network.inChannels == 3 else {
      throw CommandFailure(
        "\(recipe.file): the network takes \(network.inChannels) channels and sentence vectors of "
          + "\(network.textFeatures), but the data has 3 and \(features); change in_channels and "
          + "text_features")
    }
    let objective = ContrastiveObjective<PictureTextEncoder>(
      computeType: recipe.training.precision
    ) { ($0.pictures($1), $0.texts($2), $0.scale) }
    let trained = try train(
      try initialized(network), objective, try prompted(training, captions, isTraining: true),
      try test.map { try prompted($0, captions, isTraining: false) })
    try write(
      ModelManifest(
        task: .match, summary: recipe.summary, network: recipe.network,
        height: recipe.data.height, width: recipe.data.width, channels: recipe.data.channels,
        labels: [], provenance: provenance), trained)
  }
}
