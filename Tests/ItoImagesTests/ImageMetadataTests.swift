import Testing

@testable import ItoImages

@Suite struct ImageMetadataTests {
  let image = gradient(width: 5, height: 4, channels: 3)
  static let texts = [
    "a cat", "Grüße, naïve ±½ÿ", fixtureParameters, "🐈‍⬛ ελληνικά", "", "a",
    String(repeating: "long ", count: 2000), "{\"quoted\": \"\\n\"}",
  ]

  @Test("PNG gives back texts of every kind", arguments: texts)
  func png(text: String) throws {
    let metadata: ImageMetadata = ["parameters": text, "Title": "naïve", "猫-free key": "x"]
    var valid = metadata
    valid["猫-free key"] = nil
    let bytes = try image.encoded(as: .png(), metadata: valid)
    #expect(try ImageHeader(of: bytes).metadata == valid)
    #expect(try PixelImage(decoding: bytes) == image)
    #expect(throws: ImageError.self) { try image.encoded(as: .png(), metadata: metadata) }
  }

  @Test("JPEG and WebP carry the parameters", arguments: texts)
  func exif(text: String) throws {
    let metadata: ImageMetadata = ["parameters": text, "Software": "Itô"]
    var expected = metadata
    if text.isEmpty { expected["parameters"] = nil }
    for channels in [1, 3, 4] {
      let picture = gradient(width: 7, height: 6, channels: channels)
      for encoding in [ImageEncoding.jpeg(), .webp(), .webpLossless] {
        let bytes = try picture.encoded(as: encoding, metadata: metadata)
        #expect(try ImageHeader(of: bytes).metadata == expected)
        let plain = try PixelImage(decoding: picture.encoded(as: encoding))
        let decoded = try PixelImage(decoding: bytes)
        #expect(decoded.rgb() == plain.rgb())
      }
    }
  }

  @Test func latin1GoesIntoTextChunksAndTheRestIntoInternationalOnes() throws {
    func names(_ text: String) throws -> [String] {
      let bytes = try image.encoded(as: .png(), metadata: ["parameters": text])
      let all = String(decoding: bytes, as: UTF8.self)
      return ["tEXt", "iTXt"].filter { all.contains($0) }
    }
    #expect(try names("naïve") == ["tEXt"])
    #expect(try names("猫") == ["iTXt"])
  }

  @Test func whatOtherProgramsWroteIsRead() throws {
    for name in ["parameters.jpg", "parameters.webp", "parameters-little.jpg"] {
      let header = try ImageHeader.read(Fixtures.folder + name)
      #expect(header.metadata == ["parameters": fixtureParameters], "\(name)")
    }
    let ascii = try ImageHeader.read(Fixtures.folder + "parameters-ascii.jpg")
    #expect(ascii.metadata["parameters"] == "plain, Steps: 4")
    let png = try ImageHeader.read(Fixtures.folder + "texts.png")
    #expect(
      png.metadata == [
        "parameters": fixtureParameters, "Title": "naïve",
        "long": String(repeating: "x", count: 3000),
        "prompt": "{\"1\": \"ñ猫\"}",
      ])
  }

  @Test func aTextWithAWrongChecksumIsLeftOut() throws {
    var bytes = try image.encoded(
      as: .png(), metadata: ["parameters": "one", "Title": "two"])
    let place = try #require(
      bytes.indices.first { bytes[$0...].starts(with: Array("one".utf8)) })
    bytes[place] ^= 1
    #expect(try ImageHeader(of: bytes).metadata == ["Title": "two"])
    #expect(try PixelImage(decoding: bytes) == image)
  }

  @Test func aTextThatInflatesWithoutEndIsLeftOut() throws {
    // 32 MB of zeros in 32 kB.
    let bomb = PixelImage(
      width: 8192, height: 4096, channels: 1, pixels: [UInt8](repeating: 0, count: 1 << 25))
    let file = try bomb.encoded(as: .png(compression: 9))
    // IDAT holds a zlib stream; give it to a zTXt chunk.
    var stream: [UInt8] = []
    var offset = 8
    while offset + 12 <= file.count {
      let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      if file[offset + 4..<offset + 8].elementsEqual("IDAT".utf8) {
        stream += file[offset + 8..<offset + 8 + length]
      }
      offset += 12 + length
    }
    let plain = try image.encoded(as: .png(), metadata: ["Title": "kept"])
    let text = Array("bomb".utf8) + [0, 0] + stream
    let chunk = [UInt8].bigEndian(text.count, 4) + Array("zTXt".utf8) + text + [0, 0, 0, 0]
    let bytes = withChecksums(Array(plain[..<33]) + chunk + plain[33...])
    #expect(try ImageHeader(of: bytes).metadata == ["Title": "kept"])
  }

  @Test("texts and profiles of any size leave the picture readable", arguments: ["tEXt", "iCCP"])
  func largeChunks(_ name: String) throws {
    let plain = try image.encoded(as: .png(), metadata: ["Title": "kept"])
    let content = Array("workflow".utf8) + [0] + [UInt8](repeating: 0x78, count: 9 << 20)
    let chunk = [UInt8].bigEndian(content.count, 4) + Array(name.utf8) + content + [0, 0, 0, 0]
    // After the header, and before the end.
    for place in [33, plain.count - 12] {
      let bytes = withChecksums(Array(plain[..<place]) + chunk + plain[place...])
      #expect(try PixelImage(decoding: bytes) == image)
      #expect(try ImageHeader(of: bytes).metadata["Title"] == "kept")
    }
  }

  static let refused: [(ImageEncoding, ImageMetadata)] = [
    (.png(), ["": "x"]), (.png(), [" a": "x"]), (.png(), [String(repeating: "k", count: 80): "x"]),
    (.png(), ["key": "a\0b"]), (.jpeg(), ["Title": "x"]), (.webp(), ["Title": "x"]),
    (.jpeg(), ["parameters": "a", "Software": "b", "parameters": "c"]),
    (.jpeg(), ["parameters": String(repeating: "x", count: 33_000)]),
  ]

  @Test("entries that a format cannot hold are refused", arguments: refused)
  func invalid(encoding: ImageEncoding, metadata: ImageMetadata) {
    let error = #expect(throws: ImageError.self) {
      try image.encoded(as: encoding, metadata: metadata)
    }
    guard case .invalidMetadata? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func entriesAreReplacedInPlace() {
    var metadata: ImageMetadata = ["a": "1", "b": "2", "a": "3"]
    #expect(metadata["a"] == "1")
    metadata["a"] = "4"
    #expect(metadata == ["a": "4", "b": "2"])
    metadata["c"] = "5"
    metadata["b"] = nil
    #expect(metadata.entries.map(\.key) == ["a", "c"])
    #expect(!metadata.isEmpty)
  }
}

@Suite struct ExifTests {
  @Test(
    "blocks round-trip",
    arguments: [
      Exif(), Exif(orientation: 6), Exif(userComment: "x"), Exif(software: "abc"),
      Exif(software: "longer name"), Exif(orientation: 3, userComment: "猫 🐈", software: "Itô"),
    ])
  func roundTrip(exif: Exif) {
    #expect(Exif(tiff: exif.encoded()[...]) == exif)
  }

  @Test func littleEndianBlocksAreRead() {
    let block: [UInt8] = [
      0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(Exif(tiff: block[...])?.orientation == 8)
  }

  @Test func nonsenseIsLeftOut() {
    #expect(Exif(tiff: []) == nil)
    #expect(Exif(tiff: [0x4D, 0x4D, 0, 42]) == nil)
    var block = Exif(orientation: 6).encoded()
    block[19] = 77
    #expect(Exif(tiff: block[...])?.orientation == nil)
    // A comment that claims to lie far outside.
    var far = Exif(userComment: "text").encoded()
    far.replaceSubrange(far.count - 24..<far.count - 20, with: [0x7F, 0, 0, 0])
    #expect(Exif(tiff: far[...]) == Exif() || Exif(tiff: far[...])?.userComment == nil)
  }
}
