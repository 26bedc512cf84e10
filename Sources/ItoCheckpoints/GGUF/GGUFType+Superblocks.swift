// "K-quants": blocks of 256 elements in groups of 16 or 32, whose scales are quantized themselves.
//
// Source: ggml, `ggml-quants.c` (`dequantize_row_q2_K` to `dequantize_row_q6_K`), MIT.

extension GGUFType {
  /// Q2_K, Q3_K, Q4_K, Q5_K and Q6_K.
  static let superblocks: [GGUFType] = [
    GGUFType(10, "Q2_K", 256, 84, decode: decodeQ2),
    GGUFType(11, "Q3_K", 256, 110, decode: decodeQ3),
    GGUFType(12, "Q4_K", 256, 144, decode: decodeQ4),
    GGUFType(13, "Q5_K", 256, 176, decode: decodeQ5),
    GGUFType(14, "Q6_K", 256, 210, decode: decodeQ6),
  ]
}

/// 16 scales of 4 bits with 16 minima of 4 bits, 64 bytes of 2-bit numbers, scale and minimum.
private func decodeQ2(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let (scale, minimum) = (half(block + 80), half(block + 82))
  for i in 0..<256 {
    // 128 elements share 32 bytes, two bits each; 16 share a scale.
    let q = byte(block, 16 + i / 128 * 32 + i % 32) >> (i % 128 / 32 * 2) & 3
    let group = byte(block, i / 16)
    out[i] = scale * Float(group & 15) * Float(q) - minimum * Float(group >> 4)
  }
}

/// 32 bytes of third bits, 64 bytes of two lower bits, 16 scales of 6 bits, scale.
private func decodeQ3(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let scale = half(block + 108)
  for i in 0..<256 {
    let low = byte(block, 32 + i / 128 * 32 + i % 32) >> (i % 128 / 32 * 2) & 3
    let high = byte(block, i % 32) >> (i / 32) & 1
    let group = i / 16
    let four = byte(block, 96 + group % 8) >> (group / 8 * 4) & 15
    let two = byte(block, 104 + group % 4) >> (group / 4 * 2) & 3
    out[i] = scale * Float((four | two << 4) - 32) * Float(low - (high == 1 ? 0 : 4))
  }
}

/// Scale and minimum, of 6 bits each, of group `i` of 8 in 12 bytes.
private func group(_ i: Int, _ p: UnsafeRawPointer) -> (scale: Float, minimum: Float) {
  if i < 4 { return (Float(byte(p, i) & 63), Float(byte(p, i + 4) & 63)) }
  let low = byte(p, i + 4)
  return (
    Float(low & 15 | (byte(p, i - 4) >> 6) << 4), Float(low >> 4 | (byte(p, i) >> 6) << 4)
  )
}

/// Scale and minimum, 8 groups' scales and minima, 128 bytes of 4-bit numbers.
private func decodeQ4(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let (scale, minimum) = (half(block), half(block + 2))
  for g in 0..<8 {
    let (s, m) = group(g, block + 4)
    let (d, low) = (scale * s, minimum * m)
    for i in 0..<32 {
      let q = byte(block, 16 + g / 2 * 32 + i) >> (g % 2 * 4) & 15
      out[g * 32 + i] = d * Float(q) - low
    }
  }
}

/// The same with 32 bytes of fifth bits before the 4-bit numbers.
private func decodeQ5(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let (scale, minimum) = (half(block), half(block + 2))
  for g in 0..<8 {
    let (s, m) = group(g, block + 4)
    let (d, low) = (scale * s, minimum * m)
    for i in 0..<32 {
      let four = byte(block, 48 + g / 2 * 32 + i) >> (g % 2 * 4) & 15
      let fifth = byte(block, 16 + i) >> g & 1
      out[g * 32 + i] = d * Float(four | fifth << 4) - low
    }
  }
}

/// 128 bytes of 4 lower bits, 64 bytes of 2 higher bits, 16 scales of 8 bits, scale.
private func decodeQ6(_ block: UnsafeRawPointer, _ out: UnsafeMutablePointer<Float>) {
  let scale = half(block + 208)
  for i in 0..<256 {
    // Of each 128 elements, the first 64 are low halves of 64 bytes and the others high halves.
    let (part, j) = (i / 128, i % 128)
    let four = byte(block, part * 64 + j % 64) >> (j / 64 * 4) & 15
    let two = byte(block, 128 + part * 32 + j % 32) >> (j / 32 * 2) & 3
    let group = signedByte(block, 192 + i / 16)
    out[i] = scale * Float(group) * Float((four | two << 4) - 32)
  }
}
