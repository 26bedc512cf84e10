public import ItoComponents

/// How different pictures look from those they should equal: the distance between unit features at every
/// position and level of the extractor, the mean over pairs; see ``PictureExtractor/distances(_:_:)``.
public struct PerceptualMetric: PictureMetric, Configurable {
  /// `perceptual`
  public static let name = "perceptual"
  /// What it is modelled on.
  public static let aliases = ["lpips"]
  /// What it measures.
  public static let summary = "distance of pairs in the extractor's features of all levels"

  /// The one distance.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// `perceptual`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let values = subject.extractor?.pairDistances, !values.isEmpty else { return [] }
    return [MetricFigure("perceptual", meanOf: values, bootstrap, isBetterHigher: false)]
  }
}
