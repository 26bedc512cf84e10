import Testing

@testable import ItoImages

@Suite struct PixelImageGeometryTests {
  // 1 2 3
  // 4 5 6
  let image = PixelImage(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])

  @Test func crop() {
    #expect(image.cropped(x: 1, y: 1, width: 2, height: 1).pixels == [5, 6])
    #expect(image.cropped(x: 0, y: 0, width: 3, height: 2) == image)
    let color = noise(width: 5, height: 4, channels: 3)
    let part = color.cropped(x: 2, y: 1, width: 2, height: 3)
    for y in 0..<3 {
      for x in 0..<2 {
        for c in 0..<3 { #expect(part[x, y, c] == color[x + 2, y + 1, c]) }
      }
    }
  }

  @Test func flip() {
    #expect(image.flippedHorizontally().pixels == [3, 2, 1, 6, 5, 4])
    let color = noise(width: 5, height: 4, channels: 4)
    #expect(color.flippedHorizontally() != color)
    #expect(color.flippedHorizontally().flippedHorizontally() == color)
  }

  @Test func squareCrop() {
    let wide = PixelImage(width: 5, height: 2, channels: 1, pixels: Array(0..<10))
    #expect(wide.squareCropped().pixels == [1, 2, 6, 7])
    let tall = PixelImage(width: 1, height: 4, channels: 1, pixels: [1, 2, 3, 4])
    #expect(tall.squareCropped().pixels == [2])
  }

  @Test(
    "orientations turn the picture upright",
    arguments: [
      (1, 3, [1, 2, 3, 4, 5, 6]), (2, 3, [3, 2, 1, 6, 5, 4]), (3, 3, [6, 5, 4, 3, 2, 1]),
      (4, 3, [4, 5, 6, 1, 2, 3]), (5, 2, [1, 4, 2, 5, 3, 6]), (6, 2, [4, 1, 5, 2, 6, 3]),
      (7, 2, [6, 3, 5, 2, 4, 1]), (8, 2, [3, 6, 2, 5, 1, 4]), (9, 3, [1, 2, 3, 4, 5, 6]),
    ])
  func orientation(value: Int, width: Int, pixels: [UInt8]) {
    let turned = image.oriented(value)
    #expect(turned.width == width)
    #expect(turned.pixels == pixels)
  }
}
