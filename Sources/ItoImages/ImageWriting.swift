import ItoCImages
import ItoComponents

/// A format to write, with its settings.
public enum ImageEncoding: Sendable, Hashable {
  /// Lossless. `compression` is zlib's, 0 (none, fast) to 9 (smallest, slow).
  case png(compression: Int = 6)
  /// Lossy, `quality` 1…100. From 90 on, colour keeps its full resolution; below it is halved.
  case jpeg(quality: Int = 90)
  /// Lossy, `quality` 0…100.
  case webp(quality: Int = 90)
  /// WebP without loss.
  case webpLossless

  /// The usual settings of `format`.
  public init(_ format: ImageFormat) {
    switch format {
    case .png: self = .png()
    case .jpeg: self = .jpeg()
    case .webp: self = .webp()
    }
  }

  /// The file format.
  public var format: ImageFormat {
    switch self {
    case .png: .png
    case .jpeg: .jpeg
    case .webp, .webpLossless: .webp
    }
  }
}

extension PixelImage {
  /// Writes the picture to `path` in one step: the file is either complete or not touched.
  ///
  /// - Parameters:
  ///   - encoding: The format; by default that of the path's ending.
  ///   - metadata: Texts to store in the file.
  public func write(
    _ path: String, as encoding: ImageEncoding? = nil, metadata: ImageMetadata = [:]
  ) throws(ImageError) {
    guard let chosen = encoding ?? ImageFormat(pathExtension: path).map(ImageEncoding.init) else {
      throw .unknownExtension(file: path)
    }
    let bytes = try encoded(as: chosen, metadata: metadata)
    do { try AtomicFile.write(path, bytes: bytes) } catch { throw .file(error) }
  }

  /// The bytes of a picture file.
  ///
  /// JPEG has no alpha: it is composited over white.
  public func encoded(
    as encoding: ImageEncoding, metadata: ImageMetadata = [:]
  ) throws(ImageError) -> [UInt8] {
    let side = encoding.format.maximumSide
    if max(width, height) > side {
      throw .cannotEncode(
        format: encoding.format, reason: "\(self) is larger than \(side) pixels a side")
    }
    let exif = encoding.format == .png ? nil : try Self.exif(metadata)
    switch encoding {
    case .png(let compression):
      let file = try encoded(.png) { pixels, shape, out, text in
        ito_png_encode(pixels, shape, Int32(min(max(compression, 0), 9)), out, text)
      }
      return metadata.isEmpty ? file : try PNGChunks.adding(metadata, to: file)
    case .jpeg(let quality):
      let file = try (hasAlpha ? rgb() : self).encoded(.jpeg) { pixels, shape, out, text in
        let percent = Int32(min(max(quality, 1), 100))
        return ito_jpeg_encode(pixels, shape, percent, quality < 90 ? 1 : 0, out, text)
      }
      guard let exif else { return file }
      return try JPEGSegments.adding(exif, to: file)
    case .webp, .webpLossless:
      var quality: Float = 0
      if case .webp(let percent) = encoding { quality = Float(min(max(percent, 0), 100)) }
      let lossless: Int32 = encoding == .webpLossless ? 1 : 0
      let source = channels == 1 ? rgb() : self
      let file = try source.encoded(.webp) { pixels, shape, out, text in
        ito_webp_encode(pixels, shape, quality, lossless, out, text)
      }
      guard let exif else { return file }
      return WebPChunks.adding(exif, to: file, width: width, height: height, hasAlpha: hasAlpha)
    }
  }

  private func encoded(
    _ format: ImageFormat,
    _ encode: (
      UnsafePointer<UInt8>?, UnsafePointer<ito_image_shape>?,
      UnsafeMutablePointer<ito_image_bytes>?,
      UnsafeMutablePointer<CChar>?
    ) -> ito_image_result
  ) throws(ImageError) -> [UInt8] {
    var shape = ito_image_shape(
      width: UInt32(width), height: UInt32(height), channels: UInt32(channels))
    var bytes = ito_image_bytes()
    defer { ito_image_bytes_free(&bytes) }
    let (result, message) = withMessage { text in
      pixels.withUnsafeBufferPointer { encode($0.baseAddress, &shape, &bytes, text) }
    }
    guard result == ITO_IMAGE_OK else {
      if result == ITO_IMAGE_NO_MEMORY { throw .outOfMemory(file: "\(self) as \(format)") }
      throw .cannotEncode(format: format, reason: message)
    }
    return Array(UnsafeBufferPointer(start: bytes.data, count: bytes.count))
  }

  /// The Exif block that carries `metadata`, nil when there is none.
  private static func exif(_ metadata: ImageMetadata) throws(ImageError) -> Exif? {
    var exif = Exif()
    for entry in metadata.entries {
      switch entry.key {
      case ImageMetadata.parametersKey where exif.userComment == nil: exif.userComment = entry.text
      case "Software" where exif.software == nil: exif.software = entry.text
      case ImageMetadata.parametersKey, "Software":
        throw .invalidMetadata(key: entry.key, reason: "JPEG and WebP hold it once")
      default:
        throw .invalidMetadata(
          key: entry.key, reason: "JPEG and WebP hold only 'parameters' and 'Software'; write PNG")
      }
    }
    return metadata.isEmpty ? nil : exif
  }
}
