import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct ImageBatchesTests {
  /// Picture i holds i in its first pixel.
  private func set(_ count: Int, height: Int = 3, width: Int = 4, channels: Int = 2) throws
    -> ImageSet
  {
    let size = height * width * channels
    var bytes = (0..<(count * size)).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 11) }
    for i in 0..<count { bytes[i * size] = UInt8(i) }
    return try ImageSet(
      pixels: Tensor(bytes, shape: [count, height, width, channels]),
      labels: (0..<count).map { Int32($0 % 3) }, captions: (0..<count).map { "picture \($0)" })
  }

  private func indices(_ batch: ImageBatch) -> [Int] {
    let size = batch.images.shape.count / batch.count
    return (0..<batch.count).map {
      Int(((batch.images.scalars[$0 * size] + 1) * 127.5).rounded())
    }
  }

  @Test("Labels and captions go with their pictures, across epochs")
  func aligned() throws {
    let batches = try ImageBatches(set(7), seed: 3)
    let batch = batches.batch(at: 5, count: 20)
    let order = indices(batch)
    #expect(batch.labels == order.map { Int32($0 % 3) })
    #expect(batch.captions == order.map { "picture \($0)" })
    #expect(Set(indices(batches.batch(at: 0, count: 7))) == Set(0..<7))
    #expect(Set(indices(batches.batch(at: 7, count: 7))) == Set(0..<7))
  }

  @Test("A batch depends on its position, not on how the positions before were cut")
  func positions() throws {
    let batches = try ImageBatches(
      set(7), seed: 3, augmentation: Augmentation(horizontalFlip: true, maximumShift: 1))
    let whole = batches.batch(at: 0, count: 30)
    let size = 3 * 4 * 2
    for (start, count) in [(0, 1), (4, 6), (13, 17), (29, 1)] {
      let part = batches.batch(at: start, count: count)
      let expected = Array(whole.images.scalars[(start * size)..<((start + count) * size)])
      #expect(part.images.scalars == expected)
      #expect(part.labels == Array(whole.labels[start..<(start + count)]))
    }
  }

  @Test("Without shuffling the order is that of the set")
  func unshuffled() throws {
    let batches = try ImageBatches(set(5), seed: 3, isShuffled: false)
    #expect(indices(batches.batch(at: 3, count: 6)) == [3, 4, 0, 1, 2, 3])
  }

  @Test("Pixels become −1…1, moved as asked", arguments: [DType.float32, .bfloat16])
  func values(dtype: DType) throws {
    let images = try set(4)
    for (flip, right, down) in [(false, 0, 0), (true, 0, 0), (false, 2, -1), (true, -1, 2)] {
      let picks = [3, 0].map { PicturePick(index: $0, flip: flip, right: right, down: down) }
      let out = images.pixels.pictures(picks, dtype: dtype)
      #expect(out.dtype == dtype)
      let bytes = images.pixels.integers
      var expected: [Float] = []
      for i in [3, 0] {
        for y in 0..<3 {
          for x in 0..<4 {
            for c in 0..<2 {
              let row = min(max(y - down, 0), 2)
              var column = min(max(x - right, 0), 3)
              if flip { column = 3 - column }
              let byte = bytes[((i * 3 + row) * 4 + column) * 2 + c]
              expected.append(Float(byte) / 127.5 - 1)
            }
          }
        }
      }
      let tolerance = dtype == .float32 ? Tolerances.elementwise : Tolerances.bfloat16
      #expect(mismatch(out, expected, relative: tolerance, absolute: tolerance) == nil)
    }
    let extremes = Tensor([UInt8(0), 255], shape: [2, 1, 1, 1])
      .pictures([PicturePick(index: 0), PicturePick(index: 1)])
    #expect(extremes.scalars == [-1, 1])
  }

  @Test("Mirroring and shifts are drawn evenly")
  func variation() throws {
    let batches = try ImageBatches(
      set(7), seed: 3, augmentation: Augmentation(horizontalFlip: true, maximumShift: 1))
    let picks = batches.picks(at: 0, count: 9000)
    // Six standard deviations around the mean.
    #expect(abs(picks.count { $0.flip } - 4500) < 285)
    for right in -1...1 {
      for down in -1...1 {
        #expect(abs(picks.count { $0.right == right && $0.down == down } - 1000) < 180)
      }
    }
  }

  @Test("Impossible settings are errors")
  func settings() throws {
    let images = try set(2)
    #expect(throws: DataError.self) {
      try ImageBatches(images, seed: 1, augmentation: Augmentation(maximumShift: 3))
    }
    #expect(throws: DataError.self) { try ImageBatches(images.keeping([]), seed: 1) }
    #expect(throws: DataError.self) { try ImageSet(pixels: images.pixels, labels: [1]) }
    #expect(throws: DataError.self) { try ImageSet(pixels: images.pixels.cast(to: .float32)) }
  }
}
