import ItoComponents
import Testing

@testable import ItoImages

@Suite struct PixelImageResizeTests {
  @Test func resultsAgreeWithPillow() throws {
    let cases = try #require(try Fixtures.json("resized.json").array)
    #expect(cases.count >= 60)
    for entry in cases {
      let mode = try #require(entry["mode"]?.string)
      let size = try #require(entry["source"]?.array).compactMap(\.int)
      let target = try #require(entry["target"]?.array).compactMap(\.int)
      let filter = try #require(entry["filter"]?.string.flatMap(ResizeFilter.init(rawValue:)))
      let channels = ["L": 1, "RGB": 3, "RGBA": 4][mode] ?? 0
      let source = noise(width: size[0], height: size[1], channels: channels)
      let expected = PixelImage(
        width: target[0], height: target[1], channels: channels,
        pixels: Fixtures.hex(try #require(entry["pixels"]?.string)))
      let result = source.resized(width: target[0], height: target[1], filter: filter)
      let difference = try #require(largestDifference(result, expected))
      #expect(difference <= 1, "\(mode) \(size) to \(target), \(filter)")
    }
  }

  @Test("a flat picture stays flat", arguments: ResizeFilter.allCases)
  func flat(filter: ResizeFilter) {
    for channels in [1, 3, 4] {
      let image = PixelImage(
        width: 13, height: 9, channels: channels,
        pixels: [UInt8](repeating: 255, count: 13 * 9 * channels))
      for (width, height) in [(1, 1), (5, 4), (13, 9), (40, 31)] {
        let resized = image.resized(width: width, height: height, filter: filter)
        #expect(resized.pixels == [UInt8](repeating: 255, count: width * height * channels))
      }
    }
  }

  @Test func theBoxIsTheMean() {
    let image = PixelImage(
      width: 4, height: 2, channels: 1, pixels: [0, 10, 20, 30, 40, 50, 60, 70])
    #expect(image.resized(width: 2, height: 1, filter: .box).pixels == [25, 45])
  }

  @Test func nearestRepeatsPixels() {
    let image = PixelImage(width: 2, height: 1, channels: 1, pixels: [1, 2])
    #expect(
      image.resized(width: 4, height: 2, filter: .nearest).pixels == [1, 1, 2, 2, 1, 1, 2, 2])
  }

  @Test func transparentColorsDoNotBleed() {
    // Opaque red beside fully transparent green.
    let image = PixelImage(
      width: 2, height: 1, channels: 4, pixels: [255, 0, 0, 255, 0, 255, 0, 0])
    #expect(image.resized(width: 1, height: 1, filter: .box).pixels == [255, 0, 0, 128])
  }

  @Test func fillingKeepsProportions() {
    let wide = PixelImage(width: 6, height: 2, channels: 1, pixels: Array(0..<12))
    #expect(wide.filling(width: 2, height: 2, filter: .nearest).pixels == [2, 3, 8, 9])
    let tall = PixelImage(width: 2, height: 7, channels: 1, pixels: Array(0..<14))
    #expect(tall.filling(width: 2, height: 1, filter: .nearest).pixels == [6, 7])
    for (width, height) in [(3, 7), (100, 1), (1, 100), (6, 2)] {
      let filled = noise(width: 7, height: 5, channels: 3).filling(width: width, height: height)
      #expect(filled.width == width && filled.height == height)
    }
  }
}
