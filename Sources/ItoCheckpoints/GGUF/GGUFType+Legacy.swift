// Blocks of 32 elements with one scale, and in the formats ending in 1 also an offset.
//
// Source: ggml, `ggml-quants.c` (`dequantize_row_q4_0` to `dequantize_row_q8_0`), MIT.

extension GGUFType {
  /// Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0.
  static let legacy: [GGUFType] = [
    GGUFType(2, "Q4_0", 32, 18) { block, out in
      nibbles(block + 2, scale: half(block), offset: -8 * half(block), out)
    },
    GGUFType(3, "Q4_1", 32, 20) { block, out in
      nibbles(block + 4, scale: half(block), offset: half(block + 2), out)
    },
    GGUFType(6, "Q5_0", 32, 22) { block, out in
      fives(block + 6, high: block + 2, scale: half(block), offset: -16 * half(block), out)
    },
    GGUFType(7, "Q5_1", 32, 24) { block, out in
      fives(block + 8, high: block + 4, scale: half(block), offset: half(block + 2), out)
    },
    GGUFType(8, "Q8_0", 32, 34) { block, out in
      let scale = half(block)
      for i in 0..<32 { out[i] = scale * Float(signedByte(block, 2 + i)) }
    },
  ]
}

/// `scale·q + offset` of 32 numbers of 4 bits: the low halves of 16 bytes, then the high halves.
private func nibbles(
  _ q: UnsafeRawPointer, scale: Float, offset: Float, _ out: UnsafeMutablePointer<Float>
) {
  for i in 0..<16 {
    out[i] = scale * Float(byte(q, i) & 15) + offset
    out[i + 16] = scale * Float(byte(q, i) >> 4) + offset
  }
}

/// The same of 32 numbers of 5 bits, whose highest bits are a word of their own.
private func fives(
  _ q: UnsafeRawPointer, high: UnsafeRawPointer, scale: Float, offset: Float,
  _ out: UnsafeMutablePointer<Float>
) {
  let bits = Int(UInt32(littleEndian: high.loadUnaligned(as: UInt32.self)))
  for i in 0..<16 {
    out[i] = scale * Float(byte(q, i) & 15 | (bits >> i & 1) << 4) + offset
    out[i + 16] = scale * Float(byte(q, i) >> 4 | (bits >> (i + 16) & 1) << 4) + offset
  }
}
