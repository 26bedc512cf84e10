import ItoDiffusion
import ItoTensors

extension ImageGenerator {
  /// The second model that `guidance` names: a weaker model of the same latents, or a classifier of
  /// pictures, which sees what the codec makes of the clean estimate.
  func guide(for guidance: any Guidance) throws(PipelineError) -> (any Denoiser)? {
    guard let path = guidance.guideModel else { return nil }
    if let manifest = try? ModelManifest(folder: path), manifest.task == .classify {
      let classifier = try PictureClassifier(folder: path)
      return Self.gradient(of: classifier, through: try denoiser.load(), codec: try codec.load())
    }
    let other = try ImageGenerator(path)
    let own = try layout.shape(height: defaults.height, width: defaults.width, count: 1)
    let its = try other.layout.shape(height: defaults.height, width: defaults.width, count: 1)
    guard own == its else {
      throw .request(
        "\(path) cannot guide this model: its latents are \(its) where this model's are \(own)")
    }
    return try other.denoiser.load()
  }

  private static func gradient<D: Denoiser>(
    of classifier: PictureClassifier, through denoiser: D, codec: any LatentCodec
  ) -> any Denoiser {
    ClassifierGradient(
      CleanSampleClassifier(denoiser) { classifier.logits(codec.decode($0)) },
      schedule: denoiser.schedule)
  }
}
