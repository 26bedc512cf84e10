import ItoCAllocations
import ItoCCodecs
import Testing

@testable import ItoImages

/// Files of several megabytes beside a picture of one pixel, made to take much memory.
@Suite("Memory of the picture readers", .enabled(if: ito_allocations_counted()))
struct ImageMemoryTests {
  private static let size = 3 << 20

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    let sum = body.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
    return .bigEndian(data.count, 4) + body + .bigEndian(Int(sum), 4)
  }

  private static func deflated(_ data: [UInt8]) -> [UInt8] {
    var length = compressBound(uLong(data.count))
    return [UInt8](unsafeUninitializedCapacity: Int(length)) { out, count in
      _ = compress2(out.baseAddress, &length, data, uLong(data.count), 9)
      count = Int(length)
    }
  }

  /// A TIFF block of one directory, with the fields that `fields` makes of the place after them.
  private static func tiff(_ count: Int, _ fields: (_ end: Int) -> [UInt8], _ rest: [UInt8])
    -> [UInt8]
  {
    let end = 10 + 12 * count
    return [0x4D, 0x4D, 0, 42, 0, 0, 0, 8] + .bigEndian(count, 2) + fields(end) + rest
  }

  private static let comments: [(name: String, block: [UInt8])] = {
    // The Exif directory follows the main one, and the comment follows that.
    func comment(_ data: [UInt8]) -> [UInt8] {
      tiff(
        1, { .bigEndian(0x8769, 2) + .bigEndian(4, 2) + .bigEndian(1, 4) + .bigEndian($0, 4) },
        [0, 1] + .bigEndian(0x9286, 2) + .bigEndian(7, 2) + .bigEndian(data.count, 4)
          + .bigEndian(36, 4)
          + data)
    }
    return [
      (
        "UTF-16",
        comment(
          Array("UNICODE\0".utf8) + [UInt8](repeatElement([0x4E, 0x2D], count: size / 2).joined()))
      ),
      (
        "UTF-16 of the other order",
        comment(
          Array("UNICODE\0".utf8) + [UInt8](repeatElement([0x41, 0], count: size / 2).joined()))
      ),
      (
        "halves of pairs",
        comment(
          Array("UNICODE\0".utf8) + [UInt8](repeatElement([0xD8, 0], count: size / 2).joined()))
      ),
      ("ASCII", comment(Array("ASCII\0\0\0".utf8) + [UInt8](repeating: 0x41, count: size))),
      ("not UTF-8", comment(Array("ASCII\0\0\0".utf8) + [UInt8](repeating: 0xFF, count: size))),
      (
        "many fields",
        tiff(
          65535,
          { _ in (0..<65535).flatMap { .bigEndian($0, 2) + [0, 3, 0, 0, 0, 1, 0, 1, 0, 0] } }, [])
      ),
    ]
  }()

  static let files: [(name: String, bytes: [UInt8])] = {
    let pixel = PixelImage(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
    func png(_ chunks: [UInt8]) -> [UInt8] {
      guard let file = try? pixel.encoded(as: .png()) else { return [] }
      return file[..<33] + chunks + file[33...]
    }
    func webp(_ chunks: [UInt8]) -> [UInt8] {
      guard let file = try? pixel.encoded(as: .webpLossless) else { return [] }
      let body = file[8...] + chunks
      return Array("RIFF".utf8) + .littleEndian(body.count, 4) + body
    }
    func webpChunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
      Array(name.utf8) + .littleEndian(data.count, 4) + data
        + [UInt8](repeating: 0, count: data.count % 2)
    }
    let empty = chunk("tEXt", Array("a\0".utf8))
    let accents = [UInt8](repeating: 0xE9, count: size)
    let zeros = [UInt8](repeating: 0x41, count: 16 * size)
    let packed = chunk("zTXt", Array("a\0\0".utf8) + deflated(zeros))
    let international = chunk("iTXt", Array("a\0\u{1}\0\0\0".utf8) + deflated(zeros))
    return [
      ("empty texts", png([UInt8](repeatElement(empty, count: size / empty.count).joined()))),
      ("one Latin text", png(chunk("tEXt", Array("a\0".utf8) + accents))),
      ("one international text", png(chunk("iTXt", Array("a\0\0\0\0\0".utf8) + accents))),
      ("a text that swells", png(packed)), ("the same of the other kind", png(international)),
      ("many that swell", png([UInt8](repeatElement(packed, count: 40).joined()))),
      ("one that swells and room", png(packed + chunk("tEXt", Array("b\0".utf8) + accents))),
      (
        "a text that swells to accents beside a comment of them",
        png(
          chunk("zTXt", Array("a\0\0".utf8) + deflated([UInt8](repeating: 0xE9, count: size)))
            + chunk("eXIf", comments[4].block))
      ),
      ("a profile that swells", png(chunk("iCCP", Array("a\0\0".utf8) + deflated(zeros)))),
      ("a long keyword", png(chunk("tEXt", [UInt8](repeating: 0x41, count: size)))),
      ("unknown chunks", png([UInt8](repeatElement(chunk("abCd", []), count: size / 12).joined()))),
      (
        "empty WebP chunks",
        webp([UInt8](repeatElement(webpChunk("abcd", []), count: size / 8).joined()))
      ),
    ] + comments.map { ("Exif in PNG: " + $0.name, png(chunk("eXIf", $0.block))) }
      + comments.map { ("Exif in WebP: " + $0.name, webp(webpChunk("EXIF", $0.block))) }
  }()

  @Test("no file takes more than four times its size", arguments: files.indices)
  func hostileFiles(_ number: Int) {
    let (name, bytes) = Self.files[number]
    #expect(bytes.count > 1000)
    for part in ["header", "picture"] {
      let start = ito_allocations_begin()
      if part == "header" {
        _ = try? ImageHeader(of: bytes)
      } else {
        _ = try? PixelImage(decoding: bytes)
      }
      // The file itself is in memory, too.
      let taken = Int(ito_allocations_peak() - start) + bytes.count
      #expect(taken <= 4 * bytes.count + 1 << 20, "\(name), \(part): \(taken) for \(bytes.count)")
    }
  }
}
