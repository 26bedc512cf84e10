import ItoTensors

/// A shuffled order of `0 ..< count` of which any element can be asked for at once.
///
/// A balanced Feistel network over the smallest even number of bits that holds `count` is a bijection
/// whatever its round function; walking the cycle until a value below `count` comes up restricts it
/// to a bijection of `0 ..< count`. Nothing is stored, so the order of a run of any length is a
/// function of its seed and costs no memory.
///
/// - Cost: 12 rounds, on average fewer than 4 walks, some 0.1 µs.
/// - Source: Black & Rogaway 2002, *Ciphers with Arbitrary Finite Domains*, doi:10.1007/3-540-45760-7_9,
///   methods "cycle-walking" and "generalized Feistel".
public struct Permutation: Sendable, Hashable {
  /// Number of elements.
  public let count: Int
  private let halfBits: UInt64
  private let keys: [UInt64]

  private static let rounds = 12

  /// The order of `0 ..< count` that belongs to `seed` and `epoch`.
  public init(count: Int, seed: UInt64, epoch: Int) {
    self.count = count
    let bits = count <= 1 ? 0 : UInt64.bitWidth - UInt64(count - 1).leadingZeroBitCount
    halfBits = UInt64(max(1, (bits + 1) / 2))
    let base = mixed(mixed(seed) ^ UInt64(bitPattern: Int64(epoch)))
    keys = (0..<Self.rounds).map { mixed(base &+ 0x9e37_79b9_7f4a_7c15 &* UInt64($0 + 1)) }
  }

  /// The element at `position`, which must be in `0 ..< count`.
  public subscript(position: Int) -> Int {
    require(position >= 0 && position < count, "position \(position) of \(count)")
    var value = UInt64(position)
    repeat { value = encrypted(value) } while value >= UInt64(count)
    return Int(value)
  }

  private func encrypted(_ value: UInt64) -> UInt64 {
    let mask: UInt64 = (1 << halfBits) - 1
    var left = value >> halfBits
    var right = value & mask
    for key in keys { (left, right) = (right, left ^ (mixed(right ^ key) & mask)) }
    return left << halfBits | right
  }
}

/// A bijection of 64-bit words in which every input bit moves every output bit.
///
/// - Source: the finaliser of Steele, Lea & Flood 2014, *Fast Splittable Pseudorandom Number
///   Generators*, doi:10.1145/2660193.2660195 (Stafford's variant 13).
func mixed(_ word: UInt64) -> UInt64 {
  var z = word
  z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
  z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
  return z ^ (z >> 31)
}
