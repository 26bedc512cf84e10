public import ItoTensors

/// Pictures of one size with what is known of each.
public struct PictureSet: Sendable {
  /// uint8 `[pictures, height, width, channels]`.
  public var pixels: Tensor
  /// What each is called: its file's name without folder and extension.
  public var names: [String]
  /// What each may be described as; empty lists where nothing is known.
  public var captions: [[String]]
  /// What each shows, whatever its details: `astronaut` for any; empty when not known.
  public var concepts: [String]

  /// A set; without captions and concepts unless given.
  public init(
    pixels: Tensor, names: [String], captions: [[String]] = [], concepts: [String] = []
  ) {
    require(
      pixels.dtype == .uint8 && pixels.shape.rank == 4 && names.count == pixels.shape[0],
      "a picture set of \(pixels.dtype) \(pixels.shape) with \(names.count) names")
    self.pixels = pixels
    self.names = names
    self.captions = captions.isEmpty ? names.map { _ in [] } : captions
    self.concepts = concepts
  }

  /// A set of what a model drew, in −1…1 `[pictures, height, width, channels]`, one channel or three; grey ones
  /// become colour pictures. Names are their numbers unless given.
  public init(
    drawn pictures: Tensor, names: [String] = [], captions: [[String]] = [], concepts: [String] = []
  ) {
    let colour =
      pictures.shape[3] == 1
      ? Tensor.concatenated([pictures, pictures, pictures], axis: 3) : pictures
    self.init(
      pixels: ((colour.clamped(to: -1...1) + 1) * 127.5 + 0.5).cast(to: .uint8),
      names: names.isEmpty ? (0..<pictures.shape[0]).map { "\($0)" } : names, captions: captions,
      concepts: concepts)
  }

  /// Number of pictures.
  public var count: Int { pixels.shape[0] }

  /// Pictures `range` in −1…1, float32.
  public func floats(_ range: Range<Int>) -> Tensor {
    pixels.sliced(range, axis: 0).cast(to: .float32) * (2.0 / 255) - 1
  }

  /// The numbers of all pictures in runs of at most `size`.
  static func batches(_ count: Int, of size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
  }

  /// For each picture of this set the one of `reference` that it was meant to be: of the same name, or
  /// else the first that may be described by its first caption; nil where there is none.
  public func matches(in reference: PictureSet) -> [Int?] {
    var byName: [String: Int] = [:], byCaption: [String: Int] = [:]
    for (index, name) in reference.names.enumerated() where byName[name] == nil {
      byName[name] = index
    }
    for (index, captions) in reference.captions.enumerated() {
      for caption in captions where byCaption[caption] == nil { byCaption[caption] = index }
    }
    return (0..<count).map { index in
      byName[names[index]] ?? captions[index].first.flatMap { byCaption[$0] }
    }
  }
}
