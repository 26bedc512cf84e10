import ItoComponents
import ItoPipelines
import ItoTensors
import ItoTraining

/// Fréchet distances of pictures from a judge's training pictures.
struct FrechetJudge {
  private let judge: PictureClassifier
  private let training: FeatureStatistics

  init(_ classifier: String, isQuiet: Bool) throws {
    judge = try PictureClassifier(folder: try ModelLocator.folder(classifier))
    let file = "the judge's recipe"
    let source = judge.manifest.provenance["recipe"] ?? .null
    let settings = try Recipe.data(try Section(source["data"], file: file, path: "data"), file)
    let images = try PictureLoader(data: settings, isQuiet: isQuiet).load(settings.training)
    let tensor = try ImageBatches(images, seed: 0, isShuffled: false).batch(
      at: 0, count: images.count
    ).images
    training = FeatureStatistics(try judge.judge(tensor).features)
  }

  func distance(of pictures: Tensor) throws -> Double {
    FeatureStatistics(try judge.judge(pictures).features).frechetDistance(to: training)
  }
}
