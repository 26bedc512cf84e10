public import ItoComponents

/// A picture that cannot be read, written or converted.
public enum ImageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The operating system refused.
  case file(FileError)
  /// The file has no bytes.
  case empty(file: String)
  /// The content is not PNG, JPEG or WebP, whatever the name says.
  case unknownFormat(file: String)
  /// The name's ending is not that of a format that can be written.
  case unknownExtension(file: String)
  /// A valid picture of a kind that is not read, such as an animation.
  case unsupported(file: String, format: ImageFormat, feature: String)
  /// The bytes are not what the format says.
  case damaged(file: String, format: ImageFormat, reason: String)
  /// Decoding would take more than the limit; sizes in pixels and bytes.
  case tooLarge(file: String, width: Int, height: Int, limit: Int)
  /// Not enough memory to decode or encode.
  case outOfMemory(file: String)
  /// The format cannot hold this picture.
  case cannotEncode(format: ImageFormat, reason: String)
  /// A metadata entry that the format cannot hold.
  case invalidMetadata(key: String, reason: String)
  /// A NaN or infinity where a pixel value is needed.
  case nonFinite(image: Int, x: Int, y: Int, channel: Int)

  /// What was wrong, in which file, and what to do.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .empty(let file):
      "'\(file)' is empty. Copy or download it again."
    case .unknownFormat(let file):
      "'\(file)' is not a PNG, JPEG or WebP picture. Convert it to one of these."
    case .unknownExtension(let file):
      "'\(file)' does not end in .png, .jpg, .jpeg or .webp. Give it the ending of the format to "
        + "write."
    case .unsupported(let file, let format, let feature):
      "'\(file)' is a \(format) picture that cannot be read: \(feature). Convert it to a still "
        + "8-bit PNG."
    case .damaged(let file, let format, let reason):
      "'\(file)' is a damaged \(format) picture: \(reason). Copy or download it again."
    case .tooLarge(let file, let width, let height, let limit):
      "'\(file)' has \(width)×\(height) pixels, more than \(limit) bytes when decoded. Make it "
        + "smaller; a program that trusts its source may raise ImageLimits.decodedBytes."
    case .outOfMemory(let file):
      "There is not enough memory for '\(file)'. Close other programs, or make the picture smaller."
    case .cannotEncode(let format, let reason):
      "The picture cannot be written as \(format): \(reason). Choose another format or size."
    case .invalidMetadata(let key, let reason):
      "The metadata entry '\(key)' cannot be written: \(reason)."
    case .nonFinite(let image, let x, let y, let channel):
      "Image \(image) is not finite at column \(x), row \(y), channel \(channel). The computation "
        + "that made it failed; try float32."
    }
  }
}
