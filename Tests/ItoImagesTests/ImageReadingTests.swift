import ItoComponents
import Testing

@testable import ItoImages

@Suite struct ImageReadingTests {
  @Test func everyKindDecodesAsOtherDecodersDo() throws {
    let names = try Fixtures.decodable
    #expect(names.count >= 40)
    for name in names {
      let image = try PixelImage.read(Fixtures.folder + name)
      let expected = try Fixtures.decoded(name)
      let difference = try #require(
        largestDifference(image, expected), "\(name) is \(image)")
      // Lossless formats are exact. Library versions round lossy ones a little differently.
      #expect(difference <= (name.hasSuffix("jpg") || name.hasPrefix("lossy") ? 2 : 0), "\(name)")
    }
  }

  @Test func headersAgreeWithPictures() throws {
    for name in try Fixtures.decodable {
      let image = try PixelImage.read(Fixtures.folder + name)
      let header = try ImageHeader.read(Fixtures.folder + name)
      #expect(header.width == image.width && header.height == image.height, "\(name)")
      #expect(header.channels == image.channels, "\(name)")
      #expect(header.format == ImageFormat(pathExtension: name), "\(name)")
    }
  }

  @Test func orientationIsAppliedInEveryFormat() throws {
    let upright = try PixelImage.read(Fixtures.folder + "orientation1.png")
    let turned6 = try PixelImage.read(Fixtures.folder + "orientation6.jpg")
    let turned8 = try PixelImage.read(Fixtures.folder + "orientation8.webp")
    #expect(turned8 == upright.oriented(8))
    // JPEG is not exact on so small a picture, but every other way to turn it is far off.
    let difference = try #require(largestDifference(turned6, upright.oriented(6)))
    for other in [5, 7, 8] {
      let wrong = try #require(largestDifference(turned6, upright.oriented(other)))
      #expect(wrong > 3 * difference)
    }
  }

  @Test func theContentDecidesTheFormat() throws {
    let bytes = try Fixtures.bytes("rgb8.png")
    #expect(try PixelImage(decoding: bytes, file: "misnamed.jpg").width == 11)
    #expect(ImageFormat(sniffing: bytes) == .png)
    #expect(ImageFormat(sniffing: try Fixtures.bytes("grey.jpg")) == .jpeg)
    #expect(ImageFormat(sniffing: try Fixtures.bytes("lossy.webp")) == .webp)
    #expect(ImageFormat(sniffing: Array("RIFF....WAVE".utf8)) == nil)
    #expect(ImageFormat(sniffing: []) == nil)
  }
}

@Suite struct ImageReadingErrorTests {
  private func error(_ bytes: [UInt8], _ limits: ImageLimits = ImageLimits()) -> ImageError? {
    do {
      _ = try PixelImage(decoding: bytes, file: "x", limits: limits)
      return nil
    } catch {
      return error
    }
  }

  @Test func whatIsNoPictureIsNamed() throws {
    #expect(error([]) == .empty(file: "x"))
    #expect(error([0]) == .unknownFormat(file: "x"))
    #expect(error(Array("GIF89a and more".utf8)) == .unknownFormat(file: "x"))
    let missing = #expect(throws: ImageError.self) { try PixelImage.read("/nowhere/cat.png") }
    #expect(
      missing?.description
        == "cannot open '/nowhere/cat.png': No such file or directory. Check the path.")
  }

  @Test func aFileCutAnywhereIsDamaged() throws {
    for name in [
      "rgb8-interlaced.png", "palette8-transparent.png", "color420.jpg", "cmyk.jpg",
      "color444-progressive.jpg",
    ] {
      let bytes = try Fixtures.bytes(name)
      for count in 12..<bytes.count {
        guard case .damaged(file: "x", _, _)? = error(Array(bytes[..<count])) else {
          Issue.record(
            "\(name) cut at \(count): \(String(describing: error(Array(bytes[..<count]))))")
          continue
        }
      }
    }
    // WebP says its length at the start, so that even a cut at the end is seen.
    for name in ["lossy-alpha.webp", "lossless.webp"] {
      let bytes = try Fixtures.bytes(name)
      for count in 12..<bytes.count {
        #expect(error(Array(bytes[..<count])) != nil, "\(name) cut at \(count)")
      }
    }
  }

  @Test func aWrongChecksumIsDamaged() throws {
    var bytes = try Fixtures.bytes("rgb8.png")
    // The last chunk before IEND's 12 bytes ends in its checksum.
    bytes[bytes.count - 13] ^= 1
    guard case .damaged(_, .png, let reason)? = error(bytes) else {
      Issue.record("\(String(describing: error(bytes)))")
      return
    }
    #expect(reason.contains("CRC"))
  }

  @Test func wrongEntropyCodesAreDamaged() throws {
    var bytes = try Fixtures.bytes("grey.jpg")
    for i in bytes.count - 60..<bytes.count - 2 { bytes[i] = 0xFE }
    guard case .damaged(_, .jpeg, _)? = error(bytes) else {
      Issue.record("\(String(describing: error(bytes)))")
      return
    }
  }

  @Test func animationsAreRefusedByName() throws {
    let error = error(try Fixtures.bytes("animated.webp"))
    #expect(error == .unsupported(file: "x", format: .webp, feature: "an animation"))
    #expect(
      error?.description
        == "'x' is a WebP picture that cannot be read: an animation. Convert it to a still 8-bit "
        + "PNG.")
  }

  @Test func twelveBitJPEGIsUnsupported() throws {
    var bytes = try Fixtures.bytes("grey.jpg")
    let frame = try #require(
      bytes.indices.dropLast().first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
    bytes[frame + 4] = 12
    guard case .unsupported(_, .jpeg, _)? = error(bytes) else {
      Issue.record("\(String(describing: error(bytes)))")
      return
    }
  }

  @Test func sizesAreRefusedBeforeMemoryIsTaken() throws {
    let png = try Fixtures.bytes("rgb8.png")
    let huge: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF]
    let largePNG = withChecksums(Array(png[..<16]) + huge + huge + png[24...])
    #expect(
      error(largePNG)
        == .tooLarge(file: "x", width: 0x7FFF_FFFF, height: 0x7FFF_FFFF, limit: 1 << 28))

    var jpeg = try Fixtures.bytes("grey.jpg")
    let frame = try #require(
      jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    #expect(error(jpeg) == .tooLarge(file: "x", width: 65_500, height: 65_500, limit: 1 << 28))

    let flat = PixelImage(width: 16_383, height: 1, color: .black)
    var webp = try flat.encoded(as: .webpLossless)
    // Width and height less one, 14 bits each, after the signature byte of the lossless data.
    webp.replaceSubrange(21..<25, with: [0xFE, 0xBF, 0xFF, 0x0F])
    #expect(error(webp) == .tooLarge(file: "x", width: 16_383, height: 16_383, limit: 1 << 28))
  }

  @Test func theLimitIsExact() throws {
    let bytes = try Fixtures.bytes("rgb8.png")
    #expect(error(bytes, ImageLimits(decodedBytes: 11 * 9 * 3)) == nil)
    #expect(
      error(bytes, ImageLimits(decodedBytes: 11 * 9 * 3 - 1))
        == .tooLarge(file: "x", width: 11, height: 9, limit: 296))
    let path = Fixtures.folder + "rgb8.png"
    #expect(throws: ImageError.file(FileError(.read, path: path, code: 27))) {
      try PixelImage.read(path, limits: ImageLimits(fileBytes: bytes.count - 1))
    }
  }
}
