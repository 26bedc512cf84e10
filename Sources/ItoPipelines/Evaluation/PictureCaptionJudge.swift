import ItoComponents
import ItoModels
import ItoModules
public import ItoTensors

/// A dual encoder from a folder, as a judge of whether pictures and captions belong together.
public struct PictureCaptionJudge: Sendable {
  /// What the folder says of itself.
  public let manifest: ModelManifest
  private let network: PictureTextEncoder

  /// Loads `folder`: `model.json` and the weights it names.
  public init(folder: String) throws(PipelineError) {
    let manifest = try ModelManifest(folder: folder)
    guard manifest.task == .match else {
      throw .request("\(folder) does not match pictures with captions; train one with task: match")
    }
    var initial = ParameterInitializer.placeholder
    let network = try wrapping(PipelineError.model) { () throws(ModelError) in
      try PictureTextEncoder(configuration: manifest.network, &initial)
    }
    self.network = try loadWeights(network, from: folder + "/" + manifest.weights)
    self.manifest = manifest
  }

  /// Features of sentence vectors that it takes.
  public var textFeatures: Int { network.textFeatures }

  /// Unit vectors of every picture, `[pictures, features]`.
  public func pictures(
    _ set: PictureSet, batchSize: Int = 128, progress: (Int) -> Void = { _ in }
  ) -> Tensor {
    let parts = PictureSet.batches(set.count, of: batchSize).map { range in
      let x = set.floats(range).resizedForJudge(
        height: manifest.height, width: manifest.width, channels: manifest.channels)
      let vectors = network.pictures(x)
      progress(range.upperBound)
      return vectors
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// Unit vectors of sentence vectors `[captions, textFeatures]`.
  public func captions(_ sentences: Tensor) -> Tensor { network.texts(sentences) }
}
