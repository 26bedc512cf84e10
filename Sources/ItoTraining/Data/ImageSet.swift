public import ItoTensors

/// Pictures of one size, decoded, with their labels or captions: what batches are drawn from.
///
/// The pixels stay bytes, in memory or in a mapped file, and become numbers only as a batch is put
/// together; 60,000 pictures of 28 × 28 take 47 MB. A subset shares its pixels with the whole.
public struct ImageSet: Sendable {
  /// The store: uint8 `[rows, height, width, channels]`.
  public let pixels: Tensor
  /// The row of the store that each picture is in; nil when they are the rows in order.
  let rows: [Int32]?
  /// The class of each picture, empty when there are none.
  public private(set) var labels: [Int32]
  /// What each picture may be asked for by, at least one caption each; empty when there are none.
  public private(set) var captionChoices: [[Caption]]
  /// How often each picture is drawn, relative to the others; empty when all are equal.
  public private(set) var weights: [Double]
  /// Names of the classes, empty when they have none.
  public var classNames: [String]
  /// What could not be used, each with its reason.
  public var skipped: [String]

  /// A set of `pixels`, uint8 `[count, height, width, channels]`; `labels` and `captions` are empty
  /// or have one element a picture.
  public init(
    pixels: Tensor, labels: [Int32] = [], captions: [String] = [], classNames: [String] = [],
    skipped: [String] = []
  ) throws(DataError) {
    try self.init(
      pixels: pixels, labels: labels, captionChoices: captions.map { [Caption($0)] },
      classNames: classNames, skipped: skipped)
  }

  /// As above with several captions a picture, and weights.
  public init(
    pixels: Tensor, labels: [Int32] = [], captionChoices: [[Caption]], weights: [Double] = [],
    classNames: [String] = [], skipped: [String] = []
  ) throws(DataError) {
    guard pixels.dtype == .uint8, pixels.shape.rank == 4 else {
      throw .unsuitable("pictures are \(pixels.dtype) \(pixels.shape), not uint8 of four axes")
    }
    let count = pixels.shape[0]
    guard labels.isEmpty || labels.count == count,
      captionChoices.isEmpty || captionChoices.count == count,
      weights.isEmpty || weights.count == count
    else {
      throw .unsuitable(
        "\(count) pictures with \(labels.count) labels and \(captionChoices.count) captions")
    }
    self.pixels = pixels
    self.labels = labels
    self.captionChoices = captionChoices
    self.weights = weights
    self.classNames = classNames
    self.skipped = skipped
    rows = nil
  }

  private init(_ whole: ImageSet, rows: [Int32]) {
    pixels = whole.pixels
    self.rows = rows
    labels = whole.labels
    captionChoices = whole.captionChoices
    weights = whole.weights
    classNames = whole.classNames
    skipped = whole.skipped
  }

  /// The first caption of each picture, empty when there are none.
  public var captions: [String] { captionChoices.map { $0.first?.text ?? "" } }

  /// Number of pictures.
  public var count: Int { rows?.count ?? pixels.shape[0] }
  /// Pixels down.
  public var height: Int { pixels.shape[1] }
  /// Pixels across.
  public var width: Int { pixels.shape[2] }
  /// 1 grey, 3 colour, 4 colour with alpha.
  public var channels: Int { pixels.shape[3] }

  /// Number of classes: the names, or one more than the highest label; 0 without labels.
  public var classCount: Int {
    labels.isEmpty ? 0 : Swift.max(classNames.count, Int(labels.max() ?? -1) + 1)
  }

  /// The row of the store that picture `index` is in.
  func row(of index: Int) -> Int { rows.map { Int($0[index]) } ?? index }

  /// The pictures at `indices`, in that order, sharing the store.
  public func keeping(_ indices: some Collection<Int>) -> ImageSet {
    for index in indices {
      require(index >= 0 && index < count, "no picture \(index) in a set of \(count)")
    }
    var result = ImageSet(self, rows: indices.map { Int32(row(of: $0)) })
    if !labels.isEmpty { result.labels = indices.map { labels[$0] } }
    if !captionChoices.isEmpty { result.captionChoices = indices.map { captionChoices[$0] } }
    if !weights.isEmpty { result.weights = indices.map { weights[$0] } }
    return result
  }
}
