/// Finds and adds the Exif chunk of a WebP file (RFC 9649, §2.7).
enum WebPChunks {
  private static let exifFlag: UInt8 = 0x08
  private static let alphaFlag: UInt8 = 0x10

  private typealias Chunk = (name: String, data: ArraySlice<UInt8>)

  /// The chunks one after the other. They are not collected: a file may hold any number of empty ones.
  private static func chunks(in bytes: [UInt8]) -> some Sequence<Chunk> {
    let reader = ByteReader(bytes[...], isBigEndian: false)
    return sequence(state: 12) { (offset: inout Int) -> Chunk? in
      guard let name = reader.slice(offset, 4), let length = reader.uint32(offset + 4),
        let data = reader.slice(offset + 8, length)
      else { return nil }
      offset += 8 + length + length % 2
      return (String(decoding: name, as: UTF8.self), data)
    }
  }

  /// The TIFF block; some programs put JPEG's prefix before it.
  static func exif(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    guard let data = chunks(in: bytes).first(where: { $0.name == "EXIF" })?.data else { return nil }
    let prefix = Array("Exif".utf8) + [0, 0]
    return data.starts(with: prefix) ? data.dropFirst(prefix.count) : data
  }

  /// `file`, as libwebp writes it, with an Exif chunk, in the extended layout that this takes.
  static func adding(
    _ exif: Exif, to file: [UInt8], width: Int, height: Int, hasAlpha: Bool
  ) -> [UInt8] {
    let flags = exifFlag | (hasAlpha ? alphaFlag : 0)
    let size: [UInt8] = .littleEndian(width - 1, 3) + .littleEndian(height - 1, 3)
    var body = Array("WEBP".utf8) + chunk("VP8X", [flags, 0, 0, 0] + size)
    for part in chunks(in: file) where part.name != "VP8X" { body += chunk(part.name, part.data) }
    body += chunk("EXIF", exif.encoded())
    return Array("RIFF".utf8) + .littleEndian(body.count, 4) + body
  }

  private static func chunk(_ name: String, _ data: some Collection<UInt8>) -> [UInt8] {
    Array(name.utf8) + .littleEndian(data.count, 4) + data
      + [UInt8](repeating: 0, count: data.count % 2)
  }
}
