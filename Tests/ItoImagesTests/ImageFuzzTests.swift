import ItoCAllocations
import ItoCCodecs
import ItoImages
import Testing

/// `png` with the checksum of every chunk made right, so that changes get past them.
func withChecksums(_ png: [UInt8]) -> [UInt8] {
  var out = png
  var offset = 8
  while offset + 12 <= out.count {
    let length = out[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= out.count - offset - 12 else { break }
    let end = offset + 8 + length
    let sum = out[offset + 4..<end].withUnsafeBufferPointer {
      crc32(0, $0.baseAddress, UInt32($0.count))
    }
    for i in 0..<4 { out[end + i] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt(i))) }
    offset = end + 4
  }
  return out
}

/// SplitMix64.
private struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct ImageFuzzTests {
  private static let limits = ImageLimits(decodedBytes: 1 << 18)
  /// Beyond four times the file's size: the largest picture within the limit, turned by its orientation, the
  /// coefficients of a progressive JPEG (two bytes each), and the decoders' own tables.
  private static let excess = 4 * limits.decodedBytes + 1 << 20

  private func mutated(_ source: [UInt8], _ other: [UInt8], _ random: inout Random) -> [UInt8] {
    var bytes = source
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard !bytes.isEmpty else { return bytes }
      let at = Int.random(in: 0..<bytes.count, using: &random)
      let length = min(Int.random(in: 1...16, using: &random), bytes.count - at)
      switch Int.random(in: 0..<9, using: &random) {
      case 0, 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[at] = UInt8.random(in: 0 ... .max, using: &random)
      case 3:
        let extreme: UInt8 = [0, 1, 0x7F, 0x80, 0xFE, 0xFF].randomElement(using: &random) ?? 0
        for i in at..<at + min(4, length) { bytes[i] = extreme }
      case 4: bytes.removeSubrange(at..<at + length)
      case 5: bytes.insert(contentsOf: bytes[at..<at + length], at: at)
      case 6: bytes.removeLast(Int.random(in: 0..<max(1, bytes.count / 4), using: &random))
      case 7:
        for i in at..<at + length { bytes[i] = UInt8.random(in: 0 ... .max, using: &random) }
      default:
        let from = Int.random(in: 0..<other.count, using: &random)
        let part = other[from..<min(from + 4 * length, other.count)]
        bytes.replaceSubrange(at..<min(at + part.count, bytes.count), with: part)
      }
    }
    return bytes
  }

  @Test(
    "damaged files are refused or decoded, never a crash",
    arguments: [
      ("png", 100_000), ("jpg", 100_000), ("webp", 100_000),
    ])
  func mutations(ending: String, count: Int) throws {
    let metadata = ["texts.png", "parameters.jpg", "parameters.webp", "animated.webp"]
    let corpus = try (Fixtures.decodable + metadata).filter { $0.hasSuffix(ending) }
      .map { try Fixtures.bytes($0) }
    var random = Random(state: UInt64(count))
    var decoded = 0
    var excess = Int.min
    for _ in 0..<count {
      let source = corpus[Int.random(in: 0..<corpus.count, using: &random)]
      let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
      var bytes = mutated(source, other, &random)
      if ending == "png" && Bool.random(using: &random) { bytes = withChecksums(bytes) }
      let start = ito_allocations_begin()
      do {
        let image = try PixelImage(decoding: bytes, limits: Self.limits)
        decoded += 1
        #expect(image.pixels.count == image.width * image.height * image.channels)
        #expect(image.pixels.count <= Self.limits.decodedBytes)
      } catch {
        #expect(!error.description.isEmpty)
      }
      _ = try? ImageHeader(of: bytes)
      excess = max(excess, Int(ito_allocations_peak() - start) - 4 * bytes.count)
    }
    #expect(excess <= Self.excess)
    // The test would prove little if nearly all cases stopped at the first check.
    #expect(decoded > count / 100, "\(decoded) of \(count) decoded")
  }
}
