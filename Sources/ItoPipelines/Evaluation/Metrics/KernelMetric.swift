public import ItoComponents
import ItoTensors

/// Kernel distance between the features of pictures and those of the reference; see ``KernelDistance``.
///
/// Unbiased, so it can be compared between numbers of pictures, and about 0 for equal distributions. Its
/// interval is two deviations of the mean over random subsets.
public struct KernelMetric: PictureMetric, Configurable {
  /// `kernel`
  public static let name = "kernel"
  /// Its common name.
  public static let aliases = ["kid"]
  /// What it measures.
  public static let summary = "kernel distance to the reference in the extractor's features"

  /// The one distance.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// `kernel`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let extractor = subject.extractor, let reference = extractor.reference,
      extractor.pictures.shape[0] > 1, reference.shape[0] > 3
    else { return [] }
    let subsets = 50
    let distance = KernelDistance(
      between: extractor.pictures, and: reference, subsets: subsets, seed: bootstrap.seed)
    var noise = NoiseSource(seed: bootstrap.seed, engine: .philox)
    let order = noise.permutation(reference.shape[0])
    let half = order.count / 2
    let floor = KernelDistance(
      between: reference.rows(Array(order.prefix(half))),
      and: reference.rows(Array(order.dropFirst(half))), subsets: subsets, seed: bootstrap.seed)
    let margin = 2 * distance.deviation / Double(subsets).squareRoot()
    return [
      MetricFigure(
        "kernel", distance.mean, interval: (distance.mean - margin)...(distance.mean + margin),
        real: floor.mean, isBetterHigher: false)
    ]
  }
}
