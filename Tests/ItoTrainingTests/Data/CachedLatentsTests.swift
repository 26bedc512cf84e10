import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct CachedLatentsTests {
  private let folder = TemporaryFolder()

  /// Blocks of pixels as channels, and a value that float16 does not hold exactly.
  private static func encode(_ pictures: Tensor) -> Tensor {
    0.1 * pictures.spaceToDepth(size: 2)
  }

  private func batches(flip: Bool = true, shift: Int = 0) throws -> ImageBatches {
    try ImageBatches(
      tinyPictures(count: 37), seed: 4,
      augmentation: Augmentation(horizontalFlip: flip, maximumShift: shift))
  }

  @Test("Latents are those of the same pictures, mirrored or not", arguments: [false, true])
  func latents(flip: Bool) throws {
    let batches = try batches(flip: flip)
    var told: [Int] = []
    let cached = try CachedLatents(
      batches, codec: "test", folder: folder.path, encode: Self.encode
    ) { done, count in
      told.append(done)
      #expect(count == (flip ? 74 : 37))
    }
    #expect(told.last == (flip ? 74 : 37))
    #expect(cached.count == 37)
    for position in [0, 5, 30, 1000] {
      let batch = cached.batch(at: position, count: 9)
      let plain = batches.batch(at: position, count: 9)
      #expect(
        mismatch(
          batch.images, Self.encode(plain.images).scalars, relative: 0x1p-11, absolute: 1e-7) == nil
      )
      #expect(batch.labels == plain.labels)
    }
  }

  @Test("The second time nothing is encoded; other pictures and codecs have files of their own")
  func reuse() throws {
    func make(_ codec: String, flip: Bool = true) throws -> (CachedLatents, Int) {
      var encoded = 0
      let cached = try CachedLatents(
        try batches(flip: flip), codec: codec, folder: folder.path,
        encode: {
          encoded += $0.shape[0]
          return Self.encode($0)
        })
      return (cached, encoded)
    }
    let (first, work) = try make("a")
    #expect(work == 74)
    let (second, none) = try make("a")
    #expect(none == 0)
    #expect(
      second.batch(at: 3, count: 8).images.scalars == first.batch(at: 3, count: 8).images.scalars)
    #expect(try make("b").1 == 74)
    #expect(try make("a", flip: false).1 == 37)
  }

  @Test("Shifted pictures are refused")
  func shifted() throws {
    #expect {
      try CachedLatents(
        try batches(shift: 1), codec: "a", folder: folder.path, encode: Self.encode)
    } throws: {
      "\($0)".contains("shift")
    }
  }
}
