import ItoImages
import Testing

@Suite struct PixelImageTests {
  @Test func pixelsAreAddressedByColumnAndRow() {
    var image = PixelImage(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
    #expect(image[2, 0] == 3)
    #expect(image[0, 1] == 4)
    image[1, 1] = 9
    #expect(image.pixels == [1, 2, 3, 4, 9, 6])
    #expect(image.description == "3×2 grey")
  }

  @Test func oneColor() {
    let image = PixelImage(
      width: 2, height: 1, color: PixelColor(red: 1, green: 2, blue: 3))
    #expect(image.pixels == [1, 2, 3, 1, 2, 3])
  }

  @Test func greyIsLuma() {
    let image = PixelImage(
      width: 4, height: 1, channels: 3, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77])
    #expect(image.grey().pixels == [76, 150, 29, 77])
  }

  @Test func greyBecomesColorUnchanged() {
    let image = PixelImage(width: 2, height: 1, channels: 1, pixels: [0, 200])
    #expect(image.rgb().pixels == [0, 0, 0, 200, 200, 200])
    #expect(image.rgba().pixels == [0, 0, 0, 255, 200, 200, 200, 255])
  }

  @Test func alphaIsCompositedOverTheBackground() {
    let image = PixelImage(
      width: 3, height: 1, channels: 4, pixels: [10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 51])
    let background = PixelColor(red: 200, green: 100, blue: 0)
    #expect(image.rgb(over: background).pixels == [10, 20, 30, 200, 100, 0, 160, 100, 51])
    #expect(image.rgb().pixels[3...5] == [255, 255, 255])
  }

  @Test(
    "conversions keep the size and give the channels asked for", arguments: [1, 3, 4], [1, 3, 4])
  func conversions(from: Int, to: Int) {
    let image = noise(width: 5, height: 3, channels: from)
    let converted = image.converted(toChannels: to)
    #expect(converted.channels == to && converted.width == 5 && converted.height == 3)
    if from == to { #expect(converted == image) }
  }
}
