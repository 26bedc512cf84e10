import ItoCImages
import ItoComponents

/// What a picture from outside may cost.
public struct ImageLimits: Sendable, Hashable {
  /// Most bytes of a decoded picture, width × height × channels. Checked before any are allocated.
  public var decodedBytes: Int
  /// Most bytes of a file.
  public var fileBytes: Int

  /// Limits, by default 2²⁸ bytes each: 89 million RGB pixels.
  public init(decodedBytes: Int = 1 << 28, fileBytes: Int = 1 << 28) {
    self.decodedBytes = decodedBytes
    self.fileBytes = fileBytes
  }
}

/// What a picture file says about itself, without its pixels.
public struct ImageHeader: Sendable, Hashable {
  /// The file's format.
  public var format: ImageFormat
  /// Size in pixels, after the Exif orientation is applied.
  public var width, height: Int
  /// Channels of the decoded picture: 1 grey, 3 RGB, 4 RGBA.
  public var channels: Int
  /// Texts stored in the file, the generation parameters among them.
  public var metadata: ImageMetadata
}

extension PixelImage {
  /// Reads a PNG, JPEG or WebP picture; the content decides which, not the name.
  ///
  /// PNG of every colour type and bit depth (16 bits are rounded to 8, grey with alpha becomes
  /// RGBA), JPEG in grey, YCbCr, RGB, CMYK and YCCK, and still WebP. The Exif orientation is
  /// applied. Damaged data is an error, never a partly grey picture.
  public static func read(
    _ path: String, limits: ImageLimits = ImageLimits()
  ) throws(ImageError) -> PixelImage {
    try PixelImage(decoding: readImageFile(path, limits), file: path, limits: limits)
  }

  /// Decodes the bytes of a PNG, JPEG or WebP file; `file` is what errors call it.
  public init(
    decoding bytes: [UInt8], file: String = "picture", limits: ImageLimits = ImageLimits()
  ) throws(ImageError) {
    let codec = try Codec(sniffing: bytes, file: file)
    var shape = try codec.shape(of: bytes)
    let count = Int(shape.width).multipliedReportingOverflow(by: Int(shape.height))
    if count.overflow || count.partialValue > limits.decodedBytes / Int(shape.channels) {
      throw .tooLarge(
        file: file, width: Int(shape.width), height: Int(shape.height), limit: limits.decodedBytes)
    }
    let byteCount = count.partialValue * Int(shape.channels)
    var result = ITO_IMAGE_OK
    var message = ""
    let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { out, initialized in
      (result, message) = withMessage { text in
        codec.decode(bytes, bytes.count, &shape, out.baseAddress, text)
      }
      // Whatever a failed decoder left unwritten is never looked at.
      initialized = result == ITO_IMAGE_OK ? byteCount : 0
    }
    try codec.check(result, message)
    let decoded = PixelImage(
      width: Int(shape.width), height: Int(shape.height), channels: Int(shape.channels),
      pixels: pixels)
    self = decoded.oriented(Exif(in: bytes, format: codec.format)?.orientation ?? 1)
  }
}

extension ImageHeader {
  /// Reads the header and metadata of a picture file without decoding it.
  public static func read(
    _ path: String, limits: ImageLimits = ImageLimits()
  ) throws(ImageError) -> ImageHeader {
    try ImageHeader(of: readImageFile(path, limits), file: path)
  }

  /// The header and metadata of the bytes of a picture file; `file` is what errors call it.
  public init(of bytes: [UInt8], file: String = "picture") throws(ImageError) {
    let codec = try Codec(sniffing: bytes, file: file)
    let shape = try codec.shape(of: bytes)
    let exif = Exif(in: bytes, format: codec.format)
    let isTurned = 5...8 ~= (exif?.orientation ?? 1)
    format = codec.format
    width = Int(isTurned ? shape.height : shape.width)
    height = Int(isTurned ? shape.width : shape.height)
    channels = Int(shape.channels)
    metadata = ImageMetadata(in: bytes, format: codec.format, exif: exif)
  }
}

private func readImageFile(_ path: String, _ limits: ImageLimits) throws(ImageError) -> [UInt8] {
  do { return try readFile(path, limit: limits.fileBytes) } catch { throw .file(error) }
}

/// Calls a native function that may leave a text behind.
func withMessage(
  _ body: (UnsafeMutablePointer<CChar>?) -> ito_image_result
) -> (ito_image_result, String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(ITO_IMAGE_MESSAGE)) { text in
    let result = body(text.baseAddress)
    guard result != ITO_IMAGE_OK, let start = text.baseAddress else { return (result, "") }
    return (result, String(cString: start))
  }
}

/// The native functions of one format, for one file.
private struct Codec {
  let format: ImageFormat
  let file: String

  init(sniffing bytes: [UInt8], file: String) throws(ImageError) {
    if bytes.isEmpty { throw .empty(file: file) }
    guard let format = ImageFormat(sniffing: bytes) else { throw .unknownFormat(file: file) }
    self.format = format
    self.file = file
  }

  func shape(of bytes: [UInt8]) throws(ImageError) -> ito_image_shape {
    var shape = ito_image_shape()
    let (result, message) = withMessage { text in
      switch format {
      case .png: ito_png_header(bytes, bytes.count, &shape, text)
      case .jpeg: ito_jpeg_header(bytes, bytes.count, &shape, text)
      case .webp: ito_webp_header(bytes, bytes.count, &shape, text)
      }
    }
    try check(result, message)
    return shape
  }

  var decode:
    @convention(c) (
      UnsafePointer<UInt8>?, Int, UnsafePointer<ito_image_shape>?, UnsafeMutablePointer<UInt8>?,
      UnsafeMutablePointer<CChar>?
    ) -> ito_image_result
  {
    switch format {
    case .png: ito_png_decode
    case .jpeg: ito_jpeg_decode
    case .webp: ito_webp_decode
    }
  }

  func check(_ result: ito_image_result, _ message: String) throws(ImageError) {
    switch result {
    case ITO_IMAGE_OK: return
    case ITO_IMAGE_UNSUPPORTED: throw .unsupported(file: file, format: format, feature: message)
    case ITO_IMAGE_NO_MEMORY: throw .outOfMemory(file: file)
    default: throw .damaged(file: file, format: format, reason: message)
    }
  }
}
