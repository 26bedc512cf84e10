import ItoComponents
import ItoPipelines
import ItoTensors
import ItoTraining

/// Fréchet distances of pictures from real ones.
struct FrechetJudge {
  private let features: (Tensor) throws -> Tensor
  private let real: FeatureStatistics

  /// A classifier's distance from the pictures that it was trained on.
  init(_ classifier: String, isQuiet: Bool) throws {
    let judge = try PictureClassifier(folder: try ModelLocator.folder(classifier))
    let file = "the judge's recipe"
    let source = judge.manifest.provenance["recipe"] ?? .null
    let settings = try Recipe.data(try Section(source["data"], file: file, path: "data"), file)
    let images = try PictureLoader(data: settings, isQuiet: isQuiet).load(settings.training)
    let tensor = try ImageBatches(images, seed: 0, isShuffled: false).batch(
      at: 0, count: images.count
    ).images
    features = { try judge.judge($0).features }
    real = FeatureStatistics(try features(tensor))
  }

  /// The distance from the pictures of `real`, a folder or a JSONL file, in the features of `extractor`.
  init(_ extractor: String, real: String, isQuiet: Bool) throws {
    let judge = try PictureExtractor(folder: try ModelLocator.folder(extractor))
    features = { judge.features(of: PictureSet(drawn: $0)) { _ in } }
    let pictures = try PictureCollection(path: real, isQuiet: isQuiet).load()
    self.real = FeatureStatistics(judge.features(of: pictures) { _ in })
  }

  func distance(of pictures: Tensor) throws -> Double {
    FeatureStatistics(try features(pictures)).frechetDistance(to: real)
  }
}
