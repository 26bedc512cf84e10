public import ItoComponents
import ItoTensors

/// A place that training data comes from, as a recipe names it.
public protocol DataSource: Sendable {
  /// Opens the data. Pictures in folders are listed, not decoded; see `ImagePreparation.prepare`.
  func open() throws(DataError) -> any Dataset
}

/// Two IDX files, one of pictures and one of labels.
public struct IDXSource: DataSource, Configurable {
  /// `idx`
  public static let name = "idx"
  /// The set it is known from.
  public static let aliases = ["mnist"]
  /// What it is.
  public static let summary = "IDX files of pictures and labels, plain or gzip"

  /// File of pictures, `[count, height, width]` or `[count, height, width, channels]`.
  public var images: String
  /// File of labels, `[count]`; nil: none.
  public var labels: String?
  /// Names of the classes, empty when they have none.
  public var classNames: [String]

  /// Two files.
  public init(images: String, labels: String? = nil, classNames: [String] = []) {
    self.images = images
    self.labels = labels
    self.classNames = classNames
  }

  /// Options `images` (needed), `labels` and `class-names`.
  public init(options: inout OptionReader) throws(OptionError) {
    let images = try options.string("images")
    labels = try options.string("labels")
    classNames = try options.strings("class-names") ?? []
    guard let images else { throw .missing(key: "images") }
    self.images = images
  }

  /// Reads both files.
  public func open() throws(DataError) -> any Dataset {
    var pixels = try IDXFile(images).values
    if pixels.shape.rank == 3 { pixels = pixels.reshaped(to: pixels.shape.dims + [1]) }
    guard pixels.shape.rank == 4, [1, 3].contains(pixels.shape[3]) else {
      throw .corrupt(
        path: images, reason: "it holds elements of shape \(pixels.shape), which are not pictures")
    }
    guard let labels else { return try ImageSet(pixels: pixels, classNames: classNames) }
    let numbers = try IDXFile(labels).values
    guard numbers.shape == [pixels.shape[0]] else {
      throw .corrupt(
        path: labels,
        reason: "it holds labels of shape \(numbers.shape) for \(pixels.shape[0]) pictures")
    }
    let set = try ImageSet(
      pixels: pixels, labels: numbers.integers.map(Int32.init), classNames: classNames)
    if classNames.isEmpty { return set }
    return try set.droppingBadLabels(classCount: classNames.count) { "'\(images)' picture \($0)" }
  }
}

/// A CIFAR set in its binary form.
public struct CIFARSource: DataSource {
  /// Which.
  public var set: CIFAR
  /// The folder that its archive unpacks to.
  public var path: String
  /// Which part of it.
  public var split: DataSplit

  /// A split of a set.
  public init(_ set: CIFAR, path: String, split: DataSplit = .train) {
    self.set = set
    self.path = path
    self.split = split
  }

  /// Options `path` (needed) and `split` (train).
  public init(_ set: CIFAR, options: inout OptionReader) throws(OptionError) {
    let path = try options.string("path")
    split = try options.choice("split", default: .train)
    guard let path else { throw .missing(key: "path") }
    self.path = path
    self.set = set
  }

  /// Reads the files.
  public func open() throws(DataError) -> any Dataset { try set.read(path, split: split) }
}

/// A folder of pictures.
public struct FolderSource: DataSource, Configurable {
  /// `folder`
  public static let name = "folder"
  /// What it is.
  public static let summary = "PNG, JPEG and WebP files, with captions or classes"

  /// The folder.
  public var path: String
  /// A CSV or JSONL file that lists the pictures; nil: the one in the folder, if any.
  public var index: String?
  /// What the class of a picture is under in that file; nil: `label` or `class`.
  public var label: String?

  /// A folder.
  public init(path: String, index: String? = nil, label: String? = nil) {
    self.path = path
    self.index = index
    self.label = label
  }

  /// Options `path` (needed), `index` and `label`.
  public init(options: inout OptionReader) throws(OptionError) {
    let path = try options.string("path")
    index = try options.string("index")
    label = try options.string("label")
    guard let path else { throw .missing(key: "path") }
    self.path = path
  }

  /// Lists the folder.
  public func open() throws(DataError) -> any Dataset {
    try ImageFolder(path, index: index, label: label)
  }
}
