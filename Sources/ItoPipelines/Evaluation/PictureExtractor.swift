import ItoComponents
import ItoModels
import ItoModules
public import ItoTensors

/// A classifier's tower from a folder, as a judge of what pictures look like: features of whole pictures,
/// and distances between pictures level by level.
public struct PictureExtractor: Sendable {
  /// What the folder says of itself.
  public let manifest: ModelManifest
  private let network: ImageClassifier

  /// Loads `folder`: `model.json` and the weights it names.
  public init(folder: String) throws(PipelineError) {
    let manifest = try ModelManifest(folder: folder)
    guard manifest.task == .classify else {
      throw .request("\(folder) is no classifier; a classifier is needed to see pictures with")
    }
    var initial = ParameterInitializer.placeholder
    let network = try wrapping(PipelineError.model) { () throws(ModelError) in
      try ImageClassifier(configuration: manifest.network, &initial)
    }
    self.network = try loadWeights(network, from: folder + "/" + manifest.weights)
    self.manifest = manifest
  }

  /// Features of every picture, `[pictures, features]`.
  public func features(
    of set: PictureSet, batchSize: Int = 128, progress: (Int) -> Void = { _ in }
  ) -> Tensor {
    let parts = PictureSet.batches(set.count, of: batchSize).map { range in
      let features = network.features(fitted(set.floats(range)))
      progress(range.upperBound)
      return features
    }
    return Tensor.concatenated(parts, axis: 0)
  }

  /// How far apart the pictures of each pair are.
  ///
  /// `Σ_levels mean_positions ‖â − b̂‖² / levels`, with the features of each position divided by their
  /// norm: 0 for equal pictures.
  ///
  /// - Source: Zhang et al. 2018, *The Unreasonable Effectiveness of Deep Features as a Perceptual
  ///   Metric*, arXiv:1801.03924, equation 1, with all weights equal and the mean over levels.
  public func distances(
    _ a: PictureSet, _ b: PictureSet, pairs: [(picture: Int, reference: Int)], batchSize: Int = 64
  ) -> [Double] {
    PictureSet.batches(pairs.count, of: batchSize).flatMap { range in
      let x = levels(a, range.map { pairs[$0].picture })
      let y = levels(b, range.map { pairs[$0].reference })
      var sums = range.map { _ in 0.0 }
      for (p, q) in zip(x, y) {
        let gap = p - q
        let own = (gap * gap).sum(axes: [3]).mean(axes: [1, 2]).scalars
        for i in sums.indices { sums[i] += Double(own[i]) / Double(x.count) }
      }
      return sums
    }
  }

  /// The unit features of every level.
  private func levels(_ set: PictureSet, _ picks: [Int]) -> [Tensor] {
    let pictures = Tensor.concatenated(picks.map { set.floats($0..<($0 + 1)) }, axis: 0)
    return network.levels(fitted(pictures)).map { x in
      x / ((x * x).sum(axes: [3], keepingAxes: true) + 1e-10).sqrt()
    }
  }

  /// Pictures of the size and the channels that the network was trained on.
  private func fitted(_ x: Tensor) -> Tensor {
    x.resizedForJudge(height: manifest.height, width: manifest.width, channels: manifest.channels)
  }
}

extension Tensor {
  /// `[batch, height, width, channels]` from pictures of any size: averages over areas where they are
  /// larger; grey is repeated, and colour turned to grey, as channels need.
  func resizedForJudge(height: Int, width: Int, channels: Int) -> Tensor {
    var x = self
    if x.shape[3] == 1 && channels == 3 {
      x = Tensor.concatenated([x, x, x], axis: 3)
    } else if x.shape[3] == 3 && channels == 1 {
      let weights = Tensor([0.299, 0.587, 0.114], shape: [1, 3])
      x = x.linear(weights)
    }
    guard x.shape[1] != height || x.shape[2] != width else { return x }
    let factor = Swift.max(1, Swift.min(x.shape[1] / height, x.shape[2] / width))
    let (tall, wide) = (factor * height, factor * width)
    if x.shape[1] != tall || x.shape[2] != wide {
      x = x.resizedBilinear(height: tall, width: wide)
    }
    return factor == 1 ? x : x.averagePooled(window: factor)
  }
}
