// Four-bit numbers that stand for sixteen unevenly spaced values.
//
// Source: ggml, `ggml-quants.c` (`dequantize_row_iq4_nl`, `dequantize_row_iq4_xs`), MIT.

extension GGUFType {
  /// IQ4_NL and IQ4_XS.
  static let nonlinear: [GGUFType] = [
    GGUFType(20, "IQ4_NL", 32, 18) { block, out in levels(block + 2, half(block), out) },
    GGUFType(23, "IQ4_XS", 256, 136) { block, out in
      let scale = half(block)
      let high = Int(UInt16(littleEndian: block.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      for g in 0..<8 {
        // Scales of 6 bits around 32, their two higher bits in a word of their own.
        let low = byte(block, 4 + g / 2) >> (g % 2 * 4) & 15
        let six = low | (high >> (2 * g) & 3) << 4
        levels(block + 8 + 16 * g, scale * Float(six - 32), out + 32 * g)
      }
    },
  ]
}

private let values: [Float] = [
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
]

/// 32 elements: the low halves of 16 bytes, then the high halves.
private func levels(_ q: UnsafeRawPointer, _ scale: Float, _ out: UnsafeMutablePointer<Float>) {
  values.withUnsafeBufferPointer { values in
    for i in 0..<16 {
      out[i] = scale * values[byte(q, i) & 15]
      out[i + 16] = scale * values[byte(q, i) >> 4]
    }
  }
}
