/// Finds and adds the Exif segment of a JPEG file (ITU-T T.81, annex B; Exif 2.32 §4.7).
enum JPEGSegments {
  private static let exifPrefix: [UInt8] = Array("Exif".utf8) + [0, 0]

  /// The TIFF block of the first Exif segment before the pixels.
  static func exif(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let reader = ByteReader(bytes[...])
    var offset = 2
    while reader.slice(offset, 1)?.first == 0xFF {
      guard let marker = reader.slice(offset + 1, 1)?.first else { return nil }
      switch marker {
      case 0xFF:  // padding
        offset += 1
      case 0x01, 0xD0...0xD8:  // without content
        offset += 2
      case 0xD9, 0xDA:  // end, or start of the pixels
        return nil
      default:
        guard let length = reader.uint16(offset + 2), length >= 2,
          let content = reader.slice(offset + 4, length - 2)
        else { return nil }
        if marker == 0xE1 && content.starts(with: exifPrefix) {
          return content.dropFirst(exifPrefix.count)
        }
        offset += 2 + length
      }
    }
    return nil
  }

  /// `file` with an Exif segment after the JFIF segment that begins it.
  static func adding(_ exif: Exif, to file: [UInt8]) throws(ImageError) -> [UInt8] {
    let content = exifPrefix + exif.encoded()
    guard content.count + 2 <= 0xFFFF else {
      throw .invalidMetadata(
        key: ImageMetadata.parametersKey,
        reason: "JPEG holds 64 KiB of metadata and this takes \(content.count) bytes; write PNG")
    }
    var place = 2
    let reader = ByteReader(file[...])
    if reader.uint16(2) == 0xFFE0, let length = reader.uint16(4) { place += 2 + length }
    let segment: [UInt8] = [0xFF, 0xE1] + .bigEndian(content.count + 2, 2) + content
    return file[..<place] + segment + file[place...]
  }
}
