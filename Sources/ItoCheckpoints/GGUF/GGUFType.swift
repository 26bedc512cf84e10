import ItoTensors

/// A way in which a GGUF file keeps elements: plain numbers, or blocks of quantized ones.
///
/// One object for all tensors of a type: files may have tens of thousands of them.
final class GGUFType: Sendable {
  /// Writes the float32 elements of `count` blocks.
  typealias Decoder =
    @Sendable (
      _ blocks: UnsafeRawPointer, _ count: Int, _ out: UnsafeMutablePointer<Float>
    ) -> Void

  /// How the elements are read.
  enum Reading: Sendable {
    /// They are plain numbers.
    case plain(SafeTensorsType)
    /// They are turned into float32, block by block.
    case blocks(Decoder)
    /// They are not; the sizes are known, so that the rest of the file can be.
    case unsupported
  }

  /// The number in the file.
  let id: UInt32
  /// The name users know.
  let name: String
  /// Elements of one block.
  let blockCount: Int
  /// Bytes of one block.
  let blockSize: Int
  let reading: Reading

  convenience init(_ id: UInt32, _ name: String, plain type: SafeTensorsType) {
    self.init(id, name, 1, type.bitWidth / 8, .plain(type))
  }

  init(_ id: UInt32, _ name: String, _ blockCount: Int, _ blockSize: Int, _ reading: Reading) {
    self.id = id
    self.name = name
    self.blockCount = blockCount
    self.blockSize = blockSize
    self.reading = reading
  }

  /// A format whose blocks `decode` writes one at a time.
  convenience init(
    _ id: UInt32, _ name: String, _ blockCount: Int, _ blockSize: Int,
    decode: @escaping @Sendable (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
  ) {
    self.init(
      id, name, blockCount, blockSize,
      .blocks { blocks, count, out in
        for i in 0..<count { decode(blocks + i * blockSize, out + i * blockCount) }
      })
  }

  /// Every known type.
  static let builtin: [GGUFType] = plain + legacy + superblocks + nonlinear + unread

  private static let numbers: [UInt32: GGUFType] = Dictionary(
    uniqueKeysWithValues: builtin.map { ($0.id, $0) })

  /// The type of that number in a file.
  static func numbered(_ id: UInt32) -> GGUFType? { numbers[id] }

  /// Plain numbers.
  private static let plain: [GGUFType] = [
    GGUFType(0, "F32", plain: .f32), GGUFType(1, "F16", plain: .f16),
    GGUFType(30, "BF16", plain: .bf16), GGUFType(28, "F64", plain: .f64),
    GGUFType(24, "I8", plain: .i8), GGUFType(25, "I16", plain: .i16),
    GGUFType(26, "I32", plain: .i32), GGUFType(27, "I64", plain: .i64),
  ]

  /// Types that are not read: name, number, and what one block takes.
  private static let unread: [GGUFType] = [
    ("Q8_1", 9, 32, 40), ("Q8_K", 15, 256, 292), ("IQ2_XXS", 16, 256, 66),
    ("IQ2_XS", 17, 256, 74), ("IQ3_XXS", 18, 256, 98), ("IQ1_S", 19, 256, 50),
    ("IQ3_S", 21, 256, 110), ("IQ2_S", 22, 256, 82), ("IQ1_M", 29, 256, 56),
    ("TQ1_0", 34, 256, 54), ("TQ2_0", 35, 256, 66), ("MXFP4", 39, 32, 17),
  ].map { GGUFType($1, $0, $2, $3, .unsupported) }
}

/// The half-precision number at `p`, which need not be aligned.
func half(_ p: UnsafeRawPointer) -> Float {
  Float(Float16(bitPattern: UInt16(littleEndian: p.loadUnaligned(as: UInt16.self))))
}

/// The byte `offset` after `p`, as a number.
func byte(_ p: UnsafeRawPointer, _ offset: Int) -> Int {
  Int(p.load(fromByteOffset: offset, as: UInt8.self))
}

/// The signed byte `offset` after `p`.
func signedByte(_ p: UnsafeRawPointer, _ offset: Int) -> Int {
  Int(p.load(fromByteOffset: offset, as: Int8.self))
}
