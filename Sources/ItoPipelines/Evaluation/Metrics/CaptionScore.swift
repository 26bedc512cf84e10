public import ItoComponents
import ItoTensors

/// How well pictures and captions go together in the dual encoder: `100·max(0, cos)`, the mean.
///
/// - Source: Hessel et al. 2021, *CLIPScore: A Reference-free Evaluation Metric for Image Captioning*,
///   arXiv:2104.08718, equation 1, with this encoder in place of CLIP and w = 100 in place of 2.5.
public struct CaptionScore: PictureMetric, Configurable {
  /// `caption-score`
  public static let name = "caption-score"
  /// What it is modelled on.
  public static let aliases = ["clip-score"]
  /// What it measures.
  public static let summary = "agreement of picture and caption in the dual encoder, 0 to 100"

  /// The one score.
  public init() {}

  /// Takes no options.
  public init(options: inout OptionReader) throws(OptionError) { self.init() }

  /// `caption-score`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let encoder = subject.encoder else { return [] }
    let ceiling = encoder.real.map { real in
      let values = scores(real.pictures, real.captions)
      return values.reduce(0, +) / Double(max(1, values.count))
    }
    return [
      MetricFigure(
        "caption-score", meanOf: scores(encoder.pictures, encoder.captions), bootstrap,
        real: ceiling, isBetterHigher: true)
    ]
  }

  private func scores(_ a: Tensor, _ b: Tensor) -> [Double] {
    (a * b).sum(axes: [1]).scalars.map { 100 * max(0, Double($0)) }
  }
}
