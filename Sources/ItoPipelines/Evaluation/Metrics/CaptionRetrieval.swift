public import ItoComponents
import ItoTensors

/// Whether a picture's own caption is nearer to it than those of `candidates − 1` others, drawn at random
/// from the captions of the pictures judged and of the real ones that differ from it.
///
/// `retrieval` is the share of pictures for which it is, and its `real` that of real pictures among as
/// many: the judge's own ceiling.
public struct CaptionRetrieval: PictureMetric, Configurable {
  /// `retrieval`
  public static let name = "retrieval"
  /// What it measures.
  public static let summary = "share of pictures that find their caption among 100, %"

  /// Captions to choose from.
  public var candidates: Int

  /// Among `candidates` captions.
  public init(candidates: Int = 100) { self.candidates = candidates }

  /// Option `candidates` (100).
  public init(options: inout OptionReader) throws(OptionError) {
    candidates = try options.int("candidates", default: 100, in: 2...100_000)
  }

  /// `retrieval`
  public func figures(
    of subject: JudgedCase, bootstrap: Bootstrap
  ) throws(PipelineError) -> [MetricFigure] {
    guard let encoder = subject.encoder else { return [] }
    let pool = Tensor.concatenated(
      [encoder.captions] + (encoder.real.map { [$0.captions] } ?? []), axis: 0)
    guard pool.shape[0] > 1 else { return [] }
    let found = hits(encoder.pictures, encoder.captions, pool, seed: bootstrap.seed)
    let ceiling = encoder.real.map { real in
      let values = hits(real.pictures, real.captions, pool, seed: bootstrap.seed)
      return values.reduce(0, +) / Double(values.count)
    }
    return [
      MetricFigure(
        "retrieval", meanOf: found, bootstrap, real: ceiling, unit: "%", isBetterHigher: true)
    ]
  }

  /// 100 for each picture that is nearest to its own caption, 0 for the others. A tie is no hit.
  func hits(_ pictures: Tensor, _ captions: Tensor, _ pool: Tensor, seed: UInt64) -> [Double] {
    var noise = NoiseSource(seed: seed, engine: .philox)
    let count = pool.shape[0]
    return (0..<pictures.shape[0]).map { index in
      let own = captions.rows([index])
      let rivals = pool.rows(noise.integers(below: count, count: min(count, 2 * candidates)))
      let likeness = rivals.linear(own).scalars
      let scores = rivals.linear(pictures.rows([index])).scalars
      let mine = own.linear(pictures.rows([index])).item
      // A caption as good as equal to its own is no rival.
      let others = zip(likeness, scores).lazy.filter { $0.0 < 0.9999 }.prefix(candidates - 1)
      return others.allSatisfy { $0.1 < mine } ? 100 : 0
    }
  }
}
