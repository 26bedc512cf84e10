import ItoTensors

/// SHA-256 (FIPS 180-4), for comparing with published check sums.
func sha256(_ message: [UInt8]) -> String {
  let primes = (2...311).filter { n in (2..<n).allSatisfy { n % $0 != 0 } }
  // The first 32 bits of the fractional parts of the primes' cube and square roots.
  let constants = primes.prefix(64).map { fraction(of: $0, root: 3) }
  var hash = primes.prefix(8).map { fraction(of: $0, root: 2) }
  var bytes = message + [0x80]
  while bytes.count % 64 != 56 { bytes.append(0) }
  for shift in stride(from: 56, through: 0, by: -8) {
    bytes.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
  }
  func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
  for block in stride(from: 0, to: bytes.count, by: 64) {
    var w = (0..<16).map { i in
      bytes[(block + 4 * i)..<(block + 4 * i + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for i in 16..<64 {
      let a = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3
      let b = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10
      w.append(w[i - 16] &+ a &+ w[i - 7] &+ b)
    }
    var s = hash
    for i in 0..<64 {
      let mixed = rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)
      let chosen = (s[4] & s[5]) ^ (~s[4] & s[6])
      let first = s[7] &+ mixed &+ chosen &+ constants[i] &+ w[i]
      let turned = rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)
      let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
      s = [first &+ turned &+ majority, s[0], s[1], s[2], s[3] &+ first, s[4], s[5], s[6]]
    }
    hash = zip(hash, s).map { $0 &+ $1 }
  }
  return hash.map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }.joined()
}

/// ⌊2³² · frac(ⁿ√value)⌋ by bisection in exact integers.
private func fraction(of value: Int, root: Int) -> UInt32 {
  var low: UInt64 = 0
  var high: UInt64 = 1 << 37
  func tooLarge(_ x: UInt64) -> Bool {
    // x^root > value · 2^(32·root), in 128 bits.
    let wide = UInt128(x)
    let power = root == 2 ? wide * wide : wide * wide * wide
    return power > UInt128(value) << UInt128(32 * root)
  }
  while high - low > 1 {
    let middle = (low + high) / 2
    if tooLarge(middle) { high = middle } else { low = middle }
  }
  return UInt32(truncatingIfNeeded: low)
}

extension Tensor {
  /// The first 16 digits of the SHA-256 of the elements' bytes.
  var digest: String {
    let bytes = reading(self) { Array(UnsafeRawBufferPointer(start: $0, count: byteCount)) }
    return String(sha256(bytes).prefix(16))
  }
}
