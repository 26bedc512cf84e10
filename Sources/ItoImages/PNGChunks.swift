import ItoCCodecs

/// Reads and adds the chunks of a PNG file that hold text (PNG specification, 3rd edition, §11.3).
enum PNGChunks {
  private static let signatureCount = 8
  // Signature and the IHDR chunk, after which texts may stand.
  private static let headerCount = 33
  /// Texts that are read at most; other programs write one to three.
  private static let mostTexts = 1000
  /// Bytes that small files may take more than large ones.
  private static let floor = 1 << 18

  private typealias Chunk = (name: String, data: ArraySlice<UInt8>)

  /// The chunks of texts and Exif whose checksum is right, one after the other. They are not collected: a
  /// file may hold any number of them.
  private static func chunks(in bytes: [UInt8]) -> some Sequence<Chunk> {
    let reader = ByteReader(bytes[...])
    return sequence(state: signatureCount) { (offset: inout Int) -> Chunk? in
      while let length = reader.uint32(offset), let tag = reader.slice(offset + 4, 4),
        let data = reader.slice(offset + 8, length), let sum = reader.uint32(offset + 8 + length)
      {
        let name = String(decoding: tag, as: UTF8.self)
        if name == "IEND" { return nil }
        offset += 12 + length
        if ["tEXt", "zTXt", "iTXt", "eXIf"].contains(name),
          checksum(bytes[data.startIndex - 4..<data.endIndex]) == sum
        {
          return (name, data)
        }
      }
      return nil
    }
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
    Int(bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
  }

  /// The Exif block.
  static func exif(in bytes: [UInt8]) -> ArraySlice<UInt8>? {
    chunks(in: bytes).first { $0.name == "eXIf" }?.data
  }

  /// The texts, compressed or not, in file order, as long as they have together no more bytes than the file
  /// and a quarter of a megabyte; others are left out.
  ///
  /// - Parameter held: bytes of text that were read before.
  static func texts(in bytes: [UInt8], held: Int) -> [ImageMetadata.Entry] {
    var budget = bytes.count + floor - held
    let texts = chunks(in: bytes).lazy.filter { $0.name != "eXIf" }.prefix(mostTexts)
    return texts.compactMap { chunk in
      guard let end = chunk.data.firstIndex(of: 0),
        let key = text(chunk.data[..<end], isUTF8: false, &budget)
      else { return nil }
      let rest = chunk.data[(end + 1)...]
      var value: String?
      switch chunk.name {
      case "tEXt": value = text(rest, isUTF8: false, &budget)
      case "zTXt":
        guard rest.first == 0, let whole = inflated(rest.dropFirst(), budget) else { return nil }
        value = text(whole[...], isUTF8: false, &budget)
      case "iTXt":
        // Flag, method, language, translated keyword; each of the last two ends in zero.
        let fields = rest.dropFirst(2).split(
          separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard let flag = rest.first, fields.count == 3 else { return nil }
        if flag == 0 {
          value = text(fields[2], isUTF8: true, &budget)
        } else if let whole = inflated(fields[2], budget) {
          value = text(whole[...], isUTF8: true, &budget)
        }
      default: break
      }
      return value.map { ImageMetadata.Entry(key: key, text: $0) }
    }
  }

  /// A text that fits into `budget`, from which its bytes are taken.
  private static func text(
    _ bytes: ArraySlice<UInt8>, isUTF8: Bool, _ budget: inout Int
  ) -> String? {
    guard bytes.count <= budget else { return nil }
    if isUTF8, let text = String(validating: bytes, as: UTF8.self) {
      budget -= bytes.count
      return text
    }
    let size = String.size(latin1: bytes)
    guard size <= budget else { return nil }
    budget -= size
    return String(latin1: bytes)
  }

  /// Undoes zlib compression; nil when that gives more than `most` bytes.
  private static func inflated(_ data: ArraySlice<UInt8>, _ most: Int) -> [UInt8]? {
    var capacity = min(most, max(1024, 4 * data.count))
    while capacity > 0 {
      var status = Z_BUF_ERROR
      let out = [UInt8](unsafeUninitializedCapacity: capacity) { out, count in
        var length = uLongf(capacity)
        status = data.withUnsafeBufferPointer {
          uncompress(out.baseAddress, &length, $0.baseAddress, uLong($0.count))
        }
        count = status == Z_OK ? Int(length) : 0
      }
      if status == Z_OK { return out }
      if status != Z_BUF_ERROR || capacity == most { return nil }
      capacity = min(most, 4 * capacity)
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
