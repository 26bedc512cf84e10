public import ItoTensors

/// One figure for a set of pictures, in the eyes of a judge.
///
/// A metric takes what it needs from the case and says nothing when that is not there: pairs, a
/// reference, captions, a network.
public protocol PictureMetric: Sendable {
  /// The figures, empty when the case lacks what this metric needs.
  func figures(of subject: JudgedCase, bootstrap: Bootstrap) throws(PipelineError) -> [MetricFigure]
}

/// A measured figure with what it is to be compared with.
public struct MetricFigure: Sendable, Hashable {
  /// What is measured, as in tables: `frechet`, `nearest-top1`.
  public var name: String
  /// The figure.
  public var value: Double
  /// What it would be on other draws; nil where one picture is not independent of another.
  public var interval: ClosedRange<Double>?
  /// The same figure for real pictures: a floor or a ceiling; nil when there is none.
  public var real: Double?
  /// `%`, `dB` or empty.
  public var unit: String
  /// Whether more is better.
  public var isBetterHigher: Bool

  /// A figure.
  public init(
    _ name: String, _ value: Double, interval: ClosedRange<Double>? = nil, real: Double? = nil,
    unit: String = "", isBetterHigher: Bool
  ) {
    self.name = name
    self.value = value
    self.interval = interval
    self.real = real
    self.unit = unit
    self.isBetterHigher = isBetterHigher
  }

  /// The mean of `values`, one for each picture, with its interval.
  init(
    _ name: String, meanOf values: [Double], _ bootstrap: Bootstrap, real: Double? = nil,
    unit: String = "", isBetterHigher: Bool
  ) {
    self.init(
      name, values.reduce(0, +) / Double(max(1, values.count)),
      interval: bootstrap.interval(ofMean: values), real: real, unit: unit,
      isBetterHigher: isBetterHigher)
  }
}

/// What is judged and with what.
public struct JudgedCase: Sendable {
  /// The pictures.
  public var pictures: PictureSet
  /// Real pictures, or the pictures of the dearer method.
  public var reference: PictureSet?
  /// For each picture the number of the reference picture it was meant to be; nil where there is none.
  /// Empty: not asked.
  public var wanted: [Int?]
  /// Sees what pictures look like.
  public var extractor: PictureFeatures?
  /// Sees whether pictures and captions belong together.
  public var encoder: PictureCaptions?

  /// A case.
  public init(
    pictures: PictureSet, reference: PictureSet? = nil, wanted: [Int?] = [],
    extractor: PictureFeatures? = nil, encoder: PictureCaptions? = nil
  ) {
    self.pictures = pictures
    self.reference = reference
    self.wanted = wanted
    self.extractor = extractor
    self.encoder = encoder
  }

  /// The pairs (picture, reference) that belong together, both by number.
  var pairs: [(picture: Int, reference: Int)] {
    wanted.enumerated().compactMap { index, wanted in wanted.map { (index, $0) } }
  }
}

/// What a feature extractor sees in a case's pictures, computed once for all metrics.
public struct PictureFeatures: Sendable {
  /// `[pictures, features]`
  public var pictures: Tensor
  /// `[pictures, features]`
  public var reference: Tensor?
  /// For each pair in `JudgedCase.wanted`, in order, how far apart the two are in the features of every
  /// level.
  public var pairDistances: [Double]

  /// What was seen.
  public init(pictures: Tensor, reference: Tensor? = nil, pairDistances: [Double] = []) {
    self.pictures = pictures
    self.reference = reference
    self.pairDistances = pairDistances
  }
}

/// What a dual encoder makes of a case's pictures and captions: unit vectors of one space.
public struct PictureCaptions: Sendable {
  /// `[pictures, features]`
  public var pictures: Tensor
  /// The caption of each picture, `[pictures, features]`.
  public var captions: Tensor
  /// Real pictures and a caption of each.
  public var real: (pictures: Tensor, captions: Tensor)?

  /// What was made.
  public init(pictures: Tensor, captions: Tensor, real: (pictures: Tensor, captions: Tensor)? = nil)
  {
    self.pictures = pictures
    self.captions = captions
    self.real = real
  }
}
