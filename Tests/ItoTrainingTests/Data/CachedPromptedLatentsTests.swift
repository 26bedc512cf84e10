import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoTraining

@Suite struct CachedPromptedLatentsTests {
  private let folder = TemporaryFolder()

  private static func encode(_ pictures: Tensor) -> Tensor { 0.1 * pictures.spaceToDepth(size: 2) }

  private func set(channels: Int = 1) throws -> ImageSet {
    let bytes = (0..<(7 * 4 * 4 * channels)).map { UInt8(($0 * 37) % 251) }
    let whole = try ImageSet(
      pixels: Tensor(bytes, shape: [7, 4, 4, channels]),
      captions: (0..<7).map { "picture \($0)" })
    // A subset: rows of the store are not numbers of pictures.
    return whole.keeping([1, 2, 4, 5, 6])
  }

  private func batches(_ images: ImageSet, mirrors: Bool, seed: UInt64 = 4) throws
    -> PromptedBatches
  {
    try PromptedBatches(images, captions: nil, seed: seed, mirrors: mirrors)
  }

  @Test(
    "Latents and captions are those of the same pictures, mirrored or not",
    arguments: [false, true])
  func latents(mirrors: Bool) throws {
    let batches = try batches(try set(), mirrors: mirrors)
    let cached = try CachedPromptedLatents(
      batches, codec: "test", folder: folder.path, encode: Self.encode)
    #expect(cached.count == 5)
    for position in [0, 7, 1000] {
      let batch = cached.batch(at: position, count: 9)
      let plain = batches.batch(at: position, count: 9)
      #expect(batch.captions == plain.captions)
      #expect(
        mismatch(
          batch.images, Self.encode(plain.images).scalars, relative: 0x1p-11, absolute: 1e-7) == nil
      )
    }
  }

  @Test("Half of the pictures are mirrored, with transparency too; held-out ones are not")
  func mirrored() throws {
    for channels in [1, 3, 4] {
      let images = try set(channels: channels)
      let plain = try batches(images, mirrors: false).batch(at: 0, count: 400)
      let mixed = try batches(images, mirrors: true).batch(at: 0, count: 400)
      #expect(plain.captions == mixed.captions)
      var count = 0
      for i in 0..<400 {
        let own = mixed.images.sliced(i..<(i + 1), axis: 0)
        let straight = plain.images.sliced(i..<(i + 1), axis: 0)
        let columns = (0..<4).reversed().map { straight.sliced($0..<($0 + 1), axis: 2) }
        let turned = Tensor.concatenated(columns, axis: 2)
        if own.scalars == turned.scalars {
          count += 1
        } else {
          #expect(own.scalars == straight.scalars)
        }
      }
      #expect((150...250).contains(count), "\(count)")
      let test = try PromptedBatches(
        images, captions: nil, seed: 4, isTraining: false, mirrors: true)
      let expected = try PromptedBatches(images, captions: nil, seed: 4, isTraining: false)
      #expect(
        test.batch(at: 0, count: 5).images.scalars == expected.batch(at: 0, count: 5).images.scalars
      )
    }
  }

  @Test("Pictures with transparency are refused")
  func transparent() throws {
    #expect {
      try CachedPromptedLatents(
        try batches(try set(channels: 4), mirrors: false), codec: "a", folder: folder.path,
        encode: Self.encode)
    } throws: {
      "\($0)".contains("alpha")
    }
  }
}
