import ItoCCodecs

/// Reads and adds the chunks of a PNG file that hold text (PNG specification, 3rd edition, §11.3).
enum PNGChunks {
  private static let signatureCount = 8
  // Signature and the IHDR chunk, after which texts may stand.
  private static let headerCount = 33
  /// Most bytes of one compressed text once inflated.
  private static let maximumText = 1 << 24

  private struct Chunk {
    var name: String
    var data: ArraySlice<UInt8>
  }

  /// The chunks whose checksum is right, the pixels left out.
  private static func chunks(in bytes: [UInt8]) -> [Chunk] {
    let reader = ByteReader(bytes[...])
    var found: [Chunk] = []
    var offset = signatureCount
    while let length = reader.uint32(offset), let name = reader.slice(offset + 4, 4),
      let data = reader.slice(offset + 8, length), let sum = reader.uint32(offset + 8 + length)
    {
      let name = String(decoding: name, as: UTF8.self)
      if ["tEXt", "zTXt", "iTXt", "eXIf"].contains(name),
        checksum(bytes[data.startIndex - 4..<data.endIndex]) == sum
      {
        found.append(Chunk(name: name, data: data))
      }
      if name == "IEND" { break }
      offset += 12 + length
    }
    return found
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
    Int(bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }

  /// The Exif block.
  static func exif(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    chunks(in: bytes).first { $0.name == "eXIf" }?.data
  }

  /// The texts, compressed or not, in file order.
  static func texts(in bytes: [UInt8]) -> [ImageMetadata.Entry] {
    var budget = maximumText
    return chunks(in: bytes).compactMap { chunk in
      guard let end = chunk.data.firstIndex(of: 0) else { return nil }
      let key = latin1(chunk.data[..<end])
      let rest = chunk.data[(end + 1)...]
      switch chunk.name {
      case "tEXt":
        return ImageMetadata.Entry(key: key, text: latin1(rest))
      case "zTXt":
        guard rest.first == 0, let text = inflated(rest.dropFirst(), &budget) else { return nil }
        return ImageMetadata.Entry(key: key, text: latin1(text[...]))
      case "iTXt":
        // Flag, method, language, translated keyword; each of the last two ends in zero.
        let fields = rest.dropFirst(2).split(
          separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard let flag = rest.first, fields.count == 3 else { return nil }
        if flag == 0 {
          return ImageMetadata.Entry(key: key, text: String(decoding: fields[2], as: UTF8.self))
        }
        guard let text = inflated(fields[2], &budget) else { return nil }
        return ImageMetadata.Entry(key: key, text: String(decoding: text, as: UTF8.self))
      default:
        return nil
      }
    }
  }

  private static func latin1(_ bytes: ArraySlice<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
  }

  /// Undoes zlib compression within `budget` bytes for all texts of a file together.
  private static func inflated(_ data: ArraySlice<UInt8>, _ budget: inout Int) -> [UInt8]? {
    var capacity = min(budget, max(1024, 4 * data.count))
    while capacity > 0 {
      var status = Z_BUF_ERROR
      let out = [UInt8](unsafeUninitializedCapacity: capacity) { out, count in
        var length = uLongf(capacity)
        status = data.withUnsafeBufferPointer {
          uncompress(out.baseAddress, &length, $0.baseAddress, uLong($0.count))
        }
        count = status == Z_OK ? Int(length) : 0
      }
      if status == Z_OK {
        budget -= out.count
        return out
      }
      if status != Z_BUF_ERROR || capacity == budget { return nil }
      capacity = min(budget, 4 * capacity)
    }
    return nil
  }

  /// `file` with `metadata` in text chunks before the pixels.
  static func adding(_ metadata: ImageMetadata, to file: [UInt8]) throws(ImageError) -> [UInt8] {
    var out = Array(file[..<headerCount])
    for entry in metadata.entries {
      let key = try keyword(entry.key)
      if entry.text.unicodeScalars.contains("\0") {
        throw .invalidMetadata(key: entry.key, reason: "its text contains a zero character")
      }
      if let text = latin1(entry.text) {
        out += chunk("tEXt", key + [0] + text)
      } else {
        out += chunk("iTXt", key + [0, 0, 0, 0, 0] + Array(entry.text.utf8))
      }
    }
    return out + file[headerCount...]
  }

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    return .bigEndian(data.count, 4) + body + .bigEndian(checksum(body[...]), 4)
  }

  private static func latin1(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  private static func keyword(_ key: String) throws(ImageError) -> [UInt8] {
    guard let bytes = latin1(key), 1...79 ~= bytes.count,
      bytes.allSatisfy({ 32...126 ~= $0 || $0 >= 161 }), bytes.first != 32, bytes.last != 32
    else {
      throw .invalidMetadata(
        key: key, reason: "a PNG keyword has 1 to 79 Latin-1 characters and no spaces around it")
    }
    return bytes
  }
}
