public import ItoComponents
import ItoTensors

/// Fréchet distance between the features of pictures and those of the reference, with its interval.
///
/// Beside it, as `real`, the distance between two random halves of the reference: the floor that pictures
/// as good as real ones reach with as many samples. See ``FeatureStatistics/frechetDistance(to:)``.
///
/// - Cost: a symmetric eigenproblem of the features for each resample; at most `resamples` of them.
public struct FrechetMetric: PictureMetric, Configurable {
  /// `frechet`
  public static let name = "frechet"
  /// Its common name.
  public static let aliases = ["fid"]
  /// What it measures.
  public static let summary = "Fréchet distance to the reference in the extractor's features"

  /// The most resamples that the interval is made from.
  public var resamples: Int

  /// An interval from at most `resamples` resamples.
  public init(resamples: Int = 50) { self.resamples = resamples }

  /// Option `resamples` (50).
  public init(options: inout OptionReader) throws(OptionError) {
    resamples = try options.int("resamples", default: 50, in: 0...10_000)
  }

  /// `frechet`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let extractor = subject.extractor, let reference = extractor.reference,
      extractor.pictures.shape[0] > 1, reference.shape[0] > 3
    else { return [] }
    let real = FeatureStatistics(reference)
    let count = extractor.pictures.shape[0]
    var few = bootstrap
    few.resamples = min(resamples, bootstrap.resamples)
    let distance = FeatureStatistics(extractor.pictures).frechetDistance(to: real)
    // Repeated pictures make a resample narrower than its source, and so its distance greater.
    let interval = few.interval(count: count, around: distance) { picks in
      FeatureStatistics(extractor.pictures.rows(picks)).frechetDistance(to: real)
    }
    var noise = NoiseSource(seed: bootstrap.seed, engine: .philox)
    let order = noise.permutation(reference.shape[0])
    let size = min(count, order.count / 2)
    let floor = FeatureStatistics(reference.rows(Array(order.prefix(size))))
      .frechetDistance(to: FeatureStatistics(reference.rows(Array(order.dropFirst(size)))))
    return [
      MetricFigure(
        "frechet", distance, interval: interval, real: floor, isBetterHigher: false)
    ]
  }
}

extension Tensor {
  /// The rows `picks` of a matrix, in that order.
  func rows(_ picks: [Int]) -> Tensor {
    embedding(Tensor(picks.map(Int32.init), shape: [picks.count]))
  }
}
