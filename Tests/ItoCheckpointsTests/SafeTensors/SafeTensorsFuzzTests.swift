import Foundation
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

/// Damages small files at random. Every one must be read or refused: never a crash, never a read
/// past the file's end.
@Suite("safetensors reader against damaged files")
struct SafeTensorsFuzzTests {
  static let seeds: [(file: [UInt8], dataLength: Int)] = {
    let header = [
      entry("a.weight", "F32", [2, 1], 0..<8), entry("b", "BF16", [2], 8..<12),
      entry("c", "U64", [1], 12..<20), entry("d", "F4", [2], 20..<21),
    ].joined(separator: ",")
    let data = [UInt8](0..<21)
    let tensors: [String: Tensor] = [
      "x": Tensor([1, 2, 3] as [Float], shape: [3]), "y": Tensor([1] as [Int8], shape: [1, 1]),
      "z": Tensor(zeros: [0, 2]), "w": Tensor([true, false], shape: [2]),
    ]
    return [
      (safeTensorsFile("{\"__metadata__\":{\"k\":\"v\\u00e9\"},\(header)}", data: data), 21),
      (SafeTensors.encoded(tensors, metadata: ["format": "pt"]), 15), (safeTensorsFile("{}"), 0),
    ]
  }()

  /// Texts that are likely to reach the far corners of a header's rules.
  static let pieces: [String] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "0", "-1", "9223372036854775807",
    "18446744073709551616",
    "1e400", "F8_E4M3", "F6_E2M3", "BOOL", "dtype", "shape", "data_offsets", "__metadata__", "null",
    "\\ud800", "\u{301}", "[0,0]", "4611686018427387904", " ", "\u{0}",
  ]

  static func damaged(_ random: inout SplitMix64) -> [UInt8] {
    func below(_ n: Int) -> Int { Int(random.next() % UInt64(max(1, n))) }
    let seed = seeds[below(seeds.count)]
    let dataLength = seed.dataLength
    var bytes = seed.file
    for _ in 0...below(4) {
      let at = below(bytes.count)
      switch below(9) {
      case 0 where !bytes.isEmpty: bytes[at] ^= 1 << UInt8(below(8))
      case 1 where !bytes.isEmpty: bytes[at] = UInt8(below(256))
      case 2: bytes.removeLast(below(bytes.count + 1))
      case 3 where bytes.count > 8:
        // A header's length beside the right one, or far from it.
        let length =
          below(4) == 0 ? random.next() : UInt64(bitPattern: Int64(bytes[0]) + Int64(below(17)) - 8)
        for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(i))) }
      case 4: bytes.insert(contentsOf: Array(pieces[below(pieces.count)].utf8), at: at)
      case 5 where bytes.count > 12:
        // Edits that keep the header's length right, to get past the first check.
        let piece = Array(pieces[below(pieces.count)].utf8)
        let start = 8 + below(bytes.count - 8)
        for (i, byte) in piece.enumerated() where start + i < bytes.count {
          bytes[start + i] = byte
        }
      case 6 where bytes.count > 10:
        // One digit for another.
        let digits = bytes.indices.filter { $0 >= 8 && bytes[$0] >= 0x30 && bytes[$0] <= 0x39 }
        if !digits.isEmpty { bytes[digits[below(digits.count)]] = 0x30 + UInt8(below(10)) }
      case 7 where bytes.count > 20:
        let (from, to) = (8 + below(bytes.count - 8), 8 + below(bytes.count - 8))
        bytes.swapAt(from, to)
      default: bytes += (0..<below(9)).map { UInt8($0) }
      }
    }
    // Half of the time the header's length is made to fit again, so that what was done to the header
    // is seen by more than the first check.
    if below(2) == 0, bytes.count >= 8 + dataLength {
      let length = bytes.count - 8 - dataLength
      for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: length >> (8 * i)) }
    }
    return bytes
  }

  @Test("120,000 damaged files", arguments: 0..<6)
  func mutations(_ part: Int) throws {
    let memory = try GuardedMemory()
    var random = SplitMix64(seed: UInt64(part))
    var accepted = 0
    var violations = 0
    var excess = Int.min
    for _ in 0..<20_000 {
      let bytes = Self.damaged(&random)
      let contents = memory.holding(bytes)
      var file: SafeTensors?
      let taken = peakAllocation {
        file = try? SafeTensors(viewing: contents, owner: memory, origin: "x")
      }
      excess = max(excess, taken - 4 * bytes.count)
      guard let file else { continue }
      accepted += 1
      var total = 0
      for content in file.contents {
        total += content.byteCount
        guard let tensor = try? file.tensor(content.name) else { continue }
        // Touches every byte.
        _ = tensor.isFinite
        if tensor.shape != content.shape { violations += 1 }
      }
      if total > bytes.count { violations += 1 }
    }
    #expect(violations == 0)
    #expect(excess <= allowedExcess)
    // Both ways out were taken.
    #expect(accepted > 500 && accepted < 15_000, "\(accepted)")
  }
}
