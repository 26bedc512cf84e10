public import ItoImages
import ItoTensors

/// Pictures that can be had one by one, with what is known about them.
///
/// A training run does not read one: it draws from the `ImageSet` that `ImagePreparation` makes of it.
public protocol Dataset: Sendable {
  /// Everything that the pictures depend on (kind, files with sizes and times, settings): what a
  /// prepared copy is kept under.
  var identity: String { get }
  /// Number of items.
  var count: Int { get }
  /// Names of the classes, empty when they have none.
  var classNames: [String] { get }
  /// What to call item `index` in messages.
  func name(of index: Int) -> String
  /// The class and the caption of item `index`, nil when it has none. Either all items have one or
  /// none has.
  func description(of index: Int) -> (label: Int32?, caption: String?)
  /// Everything item `index` may be asked for by: its caption alone unless implemented.
  func captions(of index: Int) -> [Caption]
  /// How often item `index` is drawn, relative to the others: 1 unless implemented.
  func weight(of index: Int) -> Double
  /// Decodes item `index`. `DataError.item` for one that cannot be used.
  func image(at index: Int) throws(DataError) -> PixelImage
}

extension Dataset {
  /// The caption of `description`, if it has one.
  public func captions(of index: Int) -> [Caption] {
    description(of: index).caption.map { [Caption($0)] } ?? []
  }

  /// 1
  public func weight(of index: Int) -> Double { 1 }
}

extension ImageSet: Dataset {
  /// Checksums of the pixels and of which of them are in the set.
  public var identity: String {
    let order = rows.map { $0.withUnsafeBytes { checksum($0) } } ?? 0
    return "memory \(pixels.shape) \(hex(pixels.checksum)) \(hex(order))"
  }

  /// `picture 7`
  public func name(of index: Int) -> String { "picture \(index)" }

  /// The label and the caption.
  public func description(of index: Int) -> (label: Int32?, caption: String?) {
    (labels.isEmpty ? nil : labels[index], captionChoices.isEmpty ? nil : captions[index])
  }

  /// Its captions.
  public func captions(of index: Int) -> [Caption] {
    captionChoices.isEmpty ? [] : captionChoices[index]
  }

  /// Its weight.
  public func weight(of index: Int) -> Double { weights.isEmpty ? 1 : weights[index] }

  /// The picture at `index`; sets hold 1, 3 or 4 channels to be read so.
  public func image(at index: Int) throws(DataError) -> PixelImage {
    let size = height * width * channels
    let bytes = reading(pixels) { store in
      Array(UnsafeRawBufferPointer(start: store + row(of: index) * size, count: size))
    }
    return PixelImage(width: width, height: height, channels: channels, pixels: bytes)
  }
}
