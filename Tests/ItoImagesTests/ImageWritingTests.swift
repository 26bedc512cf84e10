import ItoComponents
import Testing

@testable import ItoImages

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

@Suite struct ImageWritingTests {
  @Test(
    "lossless formats give back every pixel", arguments: [1, 3, 4], [(1, 1), (7, 5), (64, 33)])
  func lossless(channels: Int, size: (Int, Int)) throws {
    let image = noise(width: size.0, height: size.1, channels: channels)
    for compression in [0, 1, 6, 9] {
      let png = try image.encoded(as: .png(compression: compression))
      #expect(try PixelImage(decoding: png) == image)
    }
    let webp = try PixelImage(decoding: image.encoded(as: .webpLossless))
    #expect(webp == (channels == 1 ? image.rgb() : image))
  }

  @Test("lossy formats come close", arguments: [1, 3, 4])
  func lossy(channels: Int) throws {
    let image = gradient(width: 65, height: 43, channels: channels)
    let jpeg = try PixelImage(decoding: image.encoded(as: .jpeg(quality: 95)))
    #expect(jpeg.channels == (channels == 1 ? 1 : 3))
    let flat = channels == 4 ? image.rgb() : image
    let jpegDifference = try #require(largestDifference(jpeg, flat))
    #expect(jpegDifference <= 6)
    let webp = try PixelImage(decoding: image.encoded(as: .webp(quality: 95)))
    let webpDifference = try #require(
      largestDifference(webp, channels == 1 ? image.rgb() : image))
    #expect(webpDifference <= 12)
  }

  @Test("lower quality takes fewer bytes", arguments: [ImageFormat.jpeg, .webp])
  func quality(format: ImageFormat) throws {
    let image = noise(width: 64, height: 64, channels: 3)
    let sizes = try [10, 50, 89, 100].map { quality in
      try image.encoded(as: format == .jpeg ? .jpeg(quality: quality) : .webp(quality: quality))
        .count
    }
    #expect(sizes == sizes.sorted() && Set(sizes).count == 4)
  }

  @Test func largeOutputGrowsItsBuffer() throws {
    let image = noise(width: 512, height: 400, channels: 3)
    #expect(try PixelImage(decoding: image.encoded(as: .png())) == image)
    let jpeg = try PixelImage(decoding: image.encoded(as: .jpeg(quality: 100)))
    #expect(jpeg.width == 512 && jpeg.height == 400)
  }

  @Test func sizesAFormatCannotHoldAreRefused() throws {
    let wide = PixelImage(width: 16_384, height: 1, color: .black)
    #expect(
      throws: ImageError.cannotEncode(
        format: .webp, reason: "16384×1 RGB is larger than 16383 pixels a side")
    ) { try wide.encoded(as: .webp()) }
    #expect(try PixelImage(decoding: wide.encoded(as: .jpeg())).width == 16_384)
    let wider = PixelImage(width: 65_501, height: 1, color: .black)
    #expect(throws: ImageError.self) { try wider.encoded(as: .jpeg()) }
    #expect(try PixelImage(decoding: wider.encoded(as: .png())) == wider)
  }

  @Test func filesAreWrittenByTheirEnding() throws {
    let image = gradient(width: 9, height: 8, channels: 3)
    for (ending, format) in [
      ("png", ImageFormat.png), ("jpg", .jpeg), ("JPEG", .jpeg), ("webp", .webp),
    ] {
      let path = "\(P_tmpdir)/ito-write-\(getpid()).\(ending)"
      defer { unlink(path) }
      try image.write(path, metadata: ["parameters": "p"])
      let header = try ImageHeader.read(path)
      #expect(header.format == format)
      #expect(header.metadata["parameters"] == "p")
      #expect(try PixelImage.read(path).width == 9)
    }
    #expect(throws: ImageError.unknownExtension(file: "a.gif")) { try image.write("a.gif") }
    #expect(throws: ImageError.unknownExtension(file: "png")) { try image.write("png") }
  }

  @Test func whereNothingCanBeWrittenTheErrorSaysSo() throws {
    let image = gradient(width: 2, height: 2, channels: 3)
    let full = #expect(throws: ImageError.self) { try image.write("/dev/full", as: .png()) }
    #expect(full == .file(FileError(.write, path: "/dev/full", code: ENOSPC)))
    #expect(throws: ImageError.file(FileError(.create, path: "/nowhere/a.png", code: ENOENT))) {
      try image.write("/nowhere/a.png")
    }
  }
}
