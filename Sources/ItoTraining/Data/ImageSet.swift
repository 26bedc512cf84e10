public import ItoTensors

/// Pictures of one size, decoded, with their labels or captions: what batches are drawn from.
///
/// The pixels stay bytes, in memory or in a mapped file, and become numbers only as a batch is put
/// together; 60,000 pictures of 28 × 28 take 47 MB.
public struct ImageSet: Sendable {
  /// uint8 `[count, height, width, channels]`
  public var pixels: Tensor
  /// The class of each picture, empty when there are none.
  public var labels: [Int32]
  /// The caption of each picture, empty when there are none.
  public var captions: [String]
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
    guard pixels.dtype == .uint8, pixels.shape.rank == 4 else {
      throw .unsuitable("pictures are \(pixels.dtype) \(pixels.shape), not uint8 of four axes")
    }
    let count = pixels.shape[0]
    guard labels.isEmpty || labels.count == count, captions.isEmpty || captions.count == count
    else {
      throw .unsuitable(
        "\(count) pictures with \(labels.count) labels and \(captions.count) captions")
    }
    self.pixels = pixels
    self.labels = labels
    self.captions = captions
    self.classNames = classNames
    self.skipped = skipped
  }

  /// Number of pictures.
  public var count: Int { pixels.shape[0] }
  /// Pixels down.
  public var height: Int { pixels.shape[1] }
  /// Pixels across.
  public var width: Int { pixels.shape[2] }
  /// 1 grey, 3 colour.
  public var channels: Int { pixels.shape[3] }

  /// Number of classes: the names, or one more than the highest label; 0 without labels.
  public var classCount: Int {
    labels.isEmpty ? 0 : max(classNames.count, Int(labels.max() ?? -1) + 1)
  }
}
