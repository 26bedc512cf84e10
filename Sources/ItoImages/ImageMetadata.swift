/// Texts stored beside the pixels, such as the `parameters` a picture was generated with.
///
/// - PNG holds any keys, as `tEXt` when the text is Latin-1 and `iTXt` when not.
/// - JPEG and WebP hold `parameters` (Exif `UserComment`, in Unicode, where other programs look for
///   it) and `Software`; other keys are an error rather than lost.
public struct ImageMetadata: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One text under one key.
  public struct Entry: Sendable, Hashable {
    /// The keyword, 1 to 79 Latin-1 characters.
    public var key: String
    /// The text.
    public var text: String

    /// An entry.
    public init(key: String, text: String) {
      self.key = key
      self.text = text
    }
  }

  /// All entries in the order of the file; a key may occur more than once.
  public var entries: [Entry]

  /// The key of the generation parameters.
  public static let parametersKey = "parameters"

  /// Metadata of the given entries.
  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// Metadata from a literal such as `["parameters": "a cat, Steps: 20"]`.
  public init(dictionaryLiteral elements: (String, String)...) {
    entries = elements.map { Entry(key: $0.0, text: $0.1) }
  }

  /// The first text under `key`. Assigning replaces every entry of that key, or adds one.
  public subscript(key: String) -> String? {
    get { entries.first { $0.key == key }?.text }
    set {
      let place = entries.firstIndex { $0.key == key } ?? entries.count
      entries.removeAll { $0.key == key }
      if let newValue { entries.insert(Entry(key: key, text: newValue), at: place) }
    }
  }

  /// Whether there is nothing to store.
  public var isEmpty: Bool { entries.isEmpty }
}

extension ImageMetadata {
  /// What is stored in the bytes of a picture file. Damaged entries are left out.
  init(in bytes: [UInt8], format: ImageFormat, exif: Exif?) {
    let comment = exif?.userComment?.utf8.count ?? 0
    self.init(format == .png ? PNGChunks.texts(in: bytes, held: comment) : [])
    for (key, text) in [(Self.parametersKey, exif?.userComment), ("Software", exif?.software)] {
      if let text, !text.isEmpty, self[key] == nil { entries.append(Entry(key: key, text: text)) }
    }
  }
}
