import ItoImages
import ItoTensors
import Testing

@Suite struct PixelImageTensorTests {
  @Test func valuesSpanTheRange() {
    let image = PixelImage(width: 3, height: 1, channels: 1, pixels: [0, 51, 255])
    #expect(Tensor([image], range: .unit).scalars == [0, 0.2, 1])
    #expect(Tensor([image], range: .signed).scalars == [-1, 51 / 127.5 - 1, 1])
  }

  @Test func theLayoutIsBatchHeightWidthChannels() {
    let images = [3, 5].map { shift in
      var image = noise(width: 4, height: 2, channels: 3)
      image[1, 1, 2] = UInt8(shift)
      return image
    }
    let tensor = Tensor(images, range: .unit)
    #expect(tensor.shape == [2, 2, 4, 3])
    let values = tensor.scalars
    #expect(values[17] == 3 / 255 && values[24 + 17] == 5 / 255)
  }

  @Test("every byte survives", arguments: [PixelRange.unit, .signed], [1, 3, 4])
  func roundTrip(range: PixelRange, channels: Int) throws {
    var bytes = Array(UInt8.min...UInt8.max)
    bytes += bytes + bytes
    let images = [bytes, bytes.reversed()].map {
      PixelImage(width: 768 / channels / 2, height: 2, channels: channels, pixels: $0)
    }
    #expect(try PixelImage.images(from: Tensor(images, range: range), range: range) == images)
  }

  @Test func valuesAreRoundedHalfUpAndClamped() throws {
    let values: [Float] = [-0.3, 0.4999 / 255, 0.5 / 255, 1.5 / 255, 0.99, 1, 7, 1e30]
    let tensor = Tensor(values, shape: [1, 2, 4, 1])
    let unit = try PixelImage.images(from: tensor, range: .unit)[0]
    #expect(unit.pixels == [0, 0, 1, 2, 252, 255, 255, 255])
    let signed = Tensor([-1e30, -1, 0, 1 / 255, 1, 1e30], shape: [1, 1, 6, 1])
    #expect(
      try PixelImage.images(from: signed, range: .signed)[0].pixels == [0, 0, 128, 128, 255, 255])
  }

  @Test func halfPrecisionIsRead() throws {
    let image = PixelImage(width: 2, height: 1, channels: 1, pixels: [0, 255])
    let tensor = Tensor([image], range: .signed).cast(to: .bfloat16)
    #expect(try PixelImage.images(from: tensor, range: .signed) == [image])
  }

  @Test(
    "what is not finite is an error with its place",
    arguments: [
      Float.nan, .infinity, -.infinity,
    ])
  func nonFinite(value: Float) {
    var values = [Float](repeating: 0, count: 2 * 3 * 4 * 3)
    // Image 1, row 2, column 1, channel 2.
    values[36 + 2 * 12 + 1 * 3 + 2] = value
    let tensor = Tensor(values, shape: [2, 3, 4, 3])
    #expect(throws: ImageError.nonFinite(image: 1, x: 1, y: 2, channel: 2)) {
      try PixelImage.images(from: tensor, range: .unit)
    }
  }
}
