import ItoTensors
import Testing

@Suite("Noise sources")
struct NoiseSourceTests {
  @Test("a copy continues alike; the original is untouched", arguments: NoiseSource.Engine.allCases)
  func values(_ engine: NoiseSource.Engine) {
    var a = NoiseSource(seed: 6, engine: engine)
    _ = a.normal([5])
    var b = a
    let drawn = a.normal([40]).scalars
    #expect(a != b)
    #expect(b.normal([40]).scalars == drawn)
    #expect(a == b)
    #expect(a.hashValue == b.hashValue)
  }

  @Test("a saved state continues exactly", arguments: NoiseSource.Engine.allCases)
  func state(_ engine: NoiseSource.Engine) throws {
    var source = NoiseSource(perSample: [3, 1 << 40], engine: engine, channelsFirst: true)
    // An odd number of single values leaves the second of a pair in the state.
    _ = source.normal([2, 5])
    _ = source.normal([2, 700])
    let saved = source.encoded
    var restored = try NoiseSource(decoding: saved)
    #expect(restored == source)
    #expect(restored.normal([2, 3, 2, 5]).scalars == source.normal([2, 3, 2, 5]).scalars)
    #expect(restored.normal([2, 3]).scalars == source.normal([2, 3]).scalars)
    #expect(restored.encoded == source.encoded)
    let one = NoiseSource(seed: 1, engine: engine).encoded.count
    #expect(one == (engine == .philox || engine == .cuda ? 37 : 37 + 4 * 624))
  }

  @Test func damagedStatesAreRefused() throws {
    let saved = NoiseSource(seed: 3).encoded
    for count in [0, 5, 6, 7, 11, 20, saved.count - 1] {
      #expect(throws: NoiseStateError.self) {
        try NoiseSource(decoding: Array(saved.prefix(count)))
      }
    }
    #expect(throws: NoiseStateError.self) { try NoiseSource(decoding: saved + [0]) }
    for (index, value) in [(0, 0x40), (5, 2), (6, 9), (7, 2), (8, 0), (11, 0xff), (21, 0xff)] {
      var damaged = saved
      damaged[index] = UInt8(value)
      let error = #expect(throws: NoiseStateError.self) { try NoiseSource(decoding: damaged) }
      #expect(
        error?.description.hasPrefix("the saved state of the random numbers is damaged") == true)
    }
  }

  @Test("image k of a batch is the image of its own seed", arguments: NoiseSource.Engine.allCases)
  func perSample(_ engine: NoiseSource.Engine) {
    let seeds: [UInt64] = [10, 11, 12]
    var batch = NoiseSource(perSample: seeds, engine: engine)
    let first = batch.normal([3, 4, 4, 2]).scalars
    let second = batch.normal([3, 7]).scalars
    let uniform = batch.uniform([6, 5]).scalars
    for (k, seed) in seeds.enumerated() {
      var alone = NoiseSource(seed: seed, engine: engine)
      #expect(alone.normal([1, 4, 4, 2]).scalars == Array(first[(32 * k)..<(32 * k + 32)]))
      #expect(alone.normal([1, 7]).scalars == Array(second[(7 * k)..<(7 * k + 7)]))
      #expect(alone.uniform([2, 5]).scalars == Array(uniform[(10 * k)..<(10 * k + 10)]))
    }
    let drawn = NoiseSource.normal(perSample: seeds, [4, 4, 2], engine: engine)
    #expect(drawn.shape == [3, 4, 4, 2])
    #expect(drawn.scalars == first)
    #expect(batch.seeds == seeds)
  }

  @Test func channelsFirstPermutesImages() {
    var plain = NoiseSource(seed: 1)
    var permuted = NoiseSource(seed: 1, channelsFirst: true)
    let a = plain.normal([2, 3, 4, 5]).scalars  // [batch, channels, height, width]
    let b = permuted.normal([2, 4, 5, 3]).scalars  // [batch, height, width, channels]
    for n in 0..<2 {
      for c in 0..<3 {
        for p in 0..<20 { #expect(b[(n * 20 + p) * 3 + c] == a[(n * 3 + c) * 20 + p]) }
      }
    }
    // Fewer than four axes are not an image.
    #expect(plain.normal([2, 20, 3]).scalars == permuted.normal([2, 20, 3]).scalars)
  }

  @Test func emptyShapesDrawNothing() {
    for engine in NoiseSource.Engine.allCases {
      var noise = NoiseSource(seed: 1, engine: engine, channelsFirst: true)
      let before = noise
      #expect(noise.normal([0]).shape == [0])
      #expect(noise.normal([2, 0, 3, 1]).shape == [2, 0, 3, 1])
      #expect(noise == before)
    }
  }
}
