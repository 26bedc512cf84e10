/// A picture file format, told by the first bytes of the file.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  case png, jpeg, webp

  /// The format that `bytes` begin with, or nil.
  public init?(sniffing bytes: [UInt8]) {
    func has(_ text: String, at offset: Int) -> Bool {
      bytes.dropFirst(offset).starts(with: text.unicodeScalars.map { UInt8($0.value) })
    }
    if has("\u{89}PNG\r\n\u{1A}\n", at: 0) {
      self = .png
    } else if has("\u{FF}\u{D8}\u{FF}", at: 0) {
      self = .jpeg
    } else if has("RIFF", at: 0) && has("WEBP", at: 8) {
      self = .webp
    } else {
      return nil
    }
  }

  /// The format whose files end like `path`, or nil.
  public init?(pathExtension path: String) {
    guard let dot = path.lastIndex(of: ".") else { return nil }
    switch path[path.index(after: dot)...].lowercased() {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    case "webp": self = .webp
    default: return nil
    }
  }

  /// `PNG`, `JPEG` or `WebP`
  public var description: String {
    switch self {
    case .png: "PNG"
    case .jpeg: "JPEG"
    case .webp: "WebP"
    }
  }

  /// The largest width and height the format can hold.
  var maximumSide: Int {
    switch self {
    case .png: 0x7FFF_FFFF
    case .jpeg: 65_500
    case .webp: 16_383
    }
  }
}
