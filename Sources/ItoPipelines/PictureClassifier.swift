import ItoComponents
import ItoModels
import ItoModules
public import ItoTensors

/// A classifier from a folder: the judge of pictures.
public struct PictureClassifier: Sendable {
  /// What the folder says of itself.
  public let manifest: ModelManifest
  private let network: ImageClassifier

  /// Loads `folder`: `model.json` and the weights it names.
  public init(folder: String) throws(PipelineError) {
    let manifest = try ModelManifest(folder: folder)
    guard manifest.task == .classify else {
      throw .request("\(folder) draws pictures; a classifier is needed to judge them")
    }
    var initial = ParameterInitializer.placeholder
    let network = try wrapping(PipelineError.model) { () throws(ModelError) in
      try ImageClassifier(configuration: manifest.network, &initial)
    }
    self.network = try loadWeights(network, from: folder + "/" + manifest.weights)
    self.manifest = manifest
  }

  /// Unnormalised log-probabilities of the classes, `[pictures, classes]`, differentiable in `pictures`,
  /// `[pictures, height, width, channels]` in −1…1.
  public func logits(_ pictures: Tensor) -> Tensor { network(pictures) }

  /// Features `[pictures, features]` and the likeliest class of each picture.
  ///
  /// - Parameters:
  ///   - pictures: `[pictures, height, width, channels]` in −1…1, of the size the judge was trained on.
  ///   - progress: told how many are done.
  public func judge(
    _ pictures: Tensor, batchSize: Int = 256, progress: (Int) -> Void = { _ in }
  ) throws(PipelineError) -> (features: Tensor, classes: [Int]) {
    let expected: Shape = [pictures.shape[0], manifest.height, manifest.width, manifest.channels]
    guard pictures.shape == expected else {
      throw .request(
        "the judge was trained on pictures of \(manifest.width)x\(manifest.height)x\(manifest.channels), "
          + "these are \(pictures.shape)")
    }
    var parts: [Tensor] = []
    var classes: [Int] = []
    for start in stride(from: 0, to: pictures.shape[0], by: batchSize) {
      let end = min(pictures.shape[0], start + batchSize)
      let features = network.features(pictures.sliced(start..<end, axis: 0))
      parts.append(features)
      classes += network.logits(features: features).argMax(axis: -1).integers
      progress(end)
    }
    return (Tensor.concatenated(parts, axis: 0), classes)
  }
}
