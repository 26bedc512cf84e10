import ItoTensors
import Testing

/// Check sums of `torch.randn` and values of other calls of torch 2.13.0+cpu on a machine with AVX2.
@Suite("Noise as torch draws it", .serialized)
struct TorchNoiseTests {
  @Test func sha256IsRight() {
    #expect(
      sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  static let digests: [(UInt64, Shape, String)] = [
    (0, [1, 4, 64, 64], "24efac55b39e95b2"), (0, [1, 16, 128, 128], "dce02e02da56c18c"),
    (0, [1, 4, 8, 8], "cc2e396b0f7eee29"), (0, [7], "da8ac258a6deee78"),
    (0, [17], "6d2169852e19b6d1"),
    (42, [1, 4, 64, 64], "e97f3de04c7c6ba8"), (42, [1, 16, 128, 128], "9d775f7135ddb2c8"),
    (42, [1, 4, 8, 8], "9ff459eefd9169b1"), (42, [7], "ac1fcc494490b91f"),
    (42, [17], "2ae700cddb7c7bef"),
    (1234, [1, 4, 64, 64], "1a5280994365d72a"), (1234, [1, 16, 128, 128], "90ef0f0547d0025d"),
    (1234, [1, 4, 8, 8], "f79ef3fcc20507c1"), (1234, [7], "f9d0e8ffffa7e672"),
    (1234, [17], "d2c5d0c65b5945ba"),
  ]

  @Test("randn, on every instruction set", arguments: digests)
  func normal(_ seed: UInt64, _ shape: Shape, _ digest: String) {
    let before = Runtime.instructionSet
    defer { Runtime.instructionSet = before }
    for level in Runtime.InstructionSet.allCases {
      Runtime.instructionSet = level
      var noise = NoiseSource(seed: seed)
      #expect(noise.normal(shape).digest == digest, "\(level)")
    }
  }

  @Test(
    "randn without vector math",
    arguments: [
      (42, "27f64bce5c260f96"), (0, "b2ac06f34558f408"), (1234, "c270c301535a4297"),
    ] as [(UInt64, String)])
  func scalar(_ seed: UInt64, _ digest: String) {
    var noise = NoiseSource(seed: seed, engine: .torchScalar)
    #expect(noise.normal([1, 4, 64, 64]).digest == digest)
  }

  @Test func aSecondDrawContinues() {
    var noise = NoiseSource(seed: 42)
    _ = noise.normal([1, 4, 64, 64])
    #expect(noise.normal([1, 4, 64, 64]).digest == "216aa0b03806136e")
  }

  @Test func halfPrecisionIsTheRoundedFloat() {
    var noise = NoiseSource(seed: 42)
    let drawn = noise.normal([1, 4, 64, 64])
    #expect(drawn.cast(to: .float16).digest == "c9e2c340238418ed")
    #expect(drawn.cast(to: .bfloat16).digest == "e29155ca545ba2f3")
  }

  @Test func otherDraws() {
    var noise = NoiseSource(seed: 42)
    #expect(noise.uniform([4]).scalars == [0.88226926, 0.91500396, 0.38286376, 0.95930564])
    noise = NoiseSource(seed: 42)
    #expect(noise.integers(below: 1000, count: 6) == [542, 67, 876, 414, 26, 335])
    noise = NoiseSource(seed: 42)
    #expect(noise.permutation(8) == [6, 3, 0, 7, 2, 1, 4, 5])
    // What follows a permutation of 8 shows that it took 7 words.
    #expect(noise.integer(below: 0xffff_ffff) == 3_233_546_874)
    noise = NoiseSource(seed: 42)
    #expect(noise.integers(below: 1 << 40, count: 2) == [441_507_790_259, 395_924_837_646])
    noise = NoiseSource(seed: 42)
    let uniforms = [noise.uniform(), noise.uniform(), noise.uniform()]
    #expect(uniforms == [0.05815448596142969, 0.06291016742457756, 0.12358607277440903])
    noise = NoiseSource(seed: 42)
    let normals = (0..<5).map { _ in noise.normal() }
    #expect(
      normals == [
        0.33669035438385886, 0.1288094051365897, 0.23446236336153173, 0.2303330279146119,
        -1.1228563767381703,
      ])
  }

  @Test func onlyTheLowHalfOfTheSeedCounts() {
    var a = NoiseSource(seed: 42)
    var b = NoiseSource(seed: 1 << 32 + 42)
    var c = NoiseSource(seed: 43)
    let drawn = a.normal([32]).scalars
    #expect(drawn == b.normal([32]).scalars)
    #expect(drawn != c.normal([32]).scalars)
  }

  @Test func threadsDoNotMatter() {
    let before = Runtime.threads
    defer { Runtime.threads = before }
    for engine in NoiseSource.Engine.allCases {
      let digests = [1, 2, 5].map { threads in
        Runtime.threads = threads
        var noise = NoiseSource(seed: 9, engine: engine)
        return noise.normal([100_003]).digest + noise.uniform([50_001]).digest
      }
      #expect(Set(digests).count == 1)
    }
  }
}
