import Foundation
import ItoCAllocations
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

/// Memory that ends at a page nobody may read, so that reading one byte too many stops the test.
final class GuardedMemory {
  static let size = 65536
  let base: UnsafeMutableRawPointer

  init() throws {
    let pages = mmap(nil, 2 * Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    base = try #require(pages == MAP_FAILED ? nil : pages)
    try #require(mprotect(base + Self.size, Self.size, PROT_NONE) == 0)
  }

  deinit { munmap(base, 2 * Self.size) }

  /// `bytes`, the last of them before the guarded page.
  func holding(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let start = base + (Self.size - bytes.count)
    bytes.withUnsafeBytes { source in
      if let first = source.baseAddress { start.copyMemory(from: first, byteCount: bytes.count) }
    }
    return UnsafeRawBufferPointer(start: start, count: bytes.count)
  }
}

/// `seed` damaged in one to five places: bits, bytes, lengths, cuts, and the pieces of its format.
func damaged(_ seed: [UInt8], pieces: [[UInt8]], _ random: inout SplitMix64) -> [UInt8] {
  func below(_ n: Int) -> Int { Int(random.next() % UInt64(max(1, n))) }
  var bytes = seed
  for _ in 0...below(4) {
    let at = below(bytes.count)
    switch below(9) {
    case 0 where !bytes.isEmpty: bytes[at] ^= 1 << UInt8(below(8))
    case 1 where !bytes.isEmpty: bytes[at] = UInt8(below(256))
    case 2: bytes.removeLast(below(bytes.count + 1))
    case 3 where bytes.count > 8:
      // A number where one may be: near zero, near the file's size, or anything.
      let values = [0, 1, UInt64(bytes.count), .max, 1 << 63, 1 << 32, random.next()]
      let value = values[below(values.count)]
      let width = [2, 4, 8][below(3)]
      for i in 0..<width where at + i < bytes.count {
        bytes[at + i] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))
      }
    case 4: bytes.insert(contentsOf: pieces[below(pieces.count)], at: at)
    case 5 where !bytes.isEmpty:
      for (i, byte) in pieces[below(pieces.count)].enumerated() where at + i < bytes.count {
        bytes[at + i] = byte
      }
    case 6 where bytes.count > 1: bytes.swapAt(at, below(bytes.count))
    case 7 where bytes.count > 4: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(4)))
    default: bytes += (0..<below(9)).map { UInt8($0) }
    }
  }
  return bytes
}

/// Opens `count` damaged forms of `seeds` with `open` and reads every tensor of those that open.
/// Returns how many opened, how many tensors came out with another shape than announced, and the most bytes
/// that opening one allocated beyond four times its size.
func fuzz<Source: TensorSource>(
  _ seeds: [[UInt8]], pieces: [[UInt8]], count: Int, seed: UInt64,
  _ open: (UnsafeRawBufferPointer, AnyObject) throws -> Source
) throws -> (opened: Int, violations: Int, excess: Int) {
  let memory = try GuardedMemory()
  var random = SplitMix64(seed: seed)
  var opened = 0
  var violations = 0
  var excess = Int.min
  for _ in 0..<count {
    let seed = seeds[Int(random.next() % UInt64(seeds.count))]
    let bytes = damaged(seed, pieces: pieces, &random)
    let held = memory.holding(bytes)
    let start = ito_allocations_begin()
    let file = try? open(held, memory)
    excess = max(excess, Int(ito_allocations_peak() - start) - 4 * bytes.count)
    guard let file else { continue }
    opened += 1
    for content in file.contents {
      if content.byteCount > bytes.count { violations += 1 }
      guard let tensor = try? file.tensor(content.name) else { continue }
      // Touches every byte.
      _ = tensor.isFinite
      if tensor.shape != content.shape { violations += 1 }
    }
  }
  return (opened, violations, excess)
}

/// The bytes of a fixture.
func fixtureBytes(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}
