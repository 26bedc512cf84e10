import ItoCheckpoints
import ItoTensors
import Testing

/// `torch.randn` and `torch.rand` of torch 2.13.0+cpu on a machine with AVX2.
@Suite("Noise against torch's own")
struct GoldenNoiseTests {
  @Test func everyVectorAgreesBitForBit() throws {
    let golden = try SafeTensors(path: fixture("torch_randn/io.safetensors"))
    var compared = 0
    for key in golden.keys {
      let parts = key.split(separator: ".")  // out, seed42, n17
      let seed = try #require(UInt64(parts[1].dropFirst(4)))
      let expected = try golden.tensor(key).scalars
      var noise = NoiseSource(seed: seed)
      var scalar = NoiseSource(seed: seed, engine: .torchScalar)
      let count = expected.count
      switch parts[2] {
      case "then":
        let drawn = [20, 7, 16].flatMap { noise.normal([$0]).scalars }
        #expect(drawn.map(\.bitPattern) == expected.map(\.bitPattern), "\(key)")
      case let draw where draw.hasPrefix("rand"):
        #expect(noise.uniform([count]).scalars == expected, "\(key)")
        #expect(scalar.uniform([count]).scalars == expected, "\(key)")
      default:
        let drawn = noise.normal([count]).scalars
        #expect(drawn.map(\.bitPattern) == expected.map(\.bitPattern), "\(key)")
        // Without vector math the last bits differ, but for draws of fewer than 16 values.
        let other = scalar.normal([count]).scalars
        if count < 16 { #expect(other == expected, "\(key)") }
        #expect(zip(other, expected).allSatisfy { abs($0 - $1) < 2e-6 }, "\(key)")
      }
      compared += 1
    }
    #expect(compared == 52)
  }
}
