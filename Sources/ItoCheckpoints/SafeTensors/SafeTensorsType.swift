public import ItoTensors

/// The element types a safetensors file may hold, by their names in the file.
public enum SafeTensorsType: String, Sendable, Hashable, CaseIterable {
  case bool = "BOOL"
  case f4 = "F4"
  case f6E2M3 = "F6_E2M3"
  case f6E3M2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  case f8E5M2 = "F8_E5M2"
  case f8E4M3 = "F8_E4M3"
  case f8E8M0 = "F8_E8M0"
  case f8E4M3FNUZ = "F8_E4M3FNUZ"
  case f8E5M2FNUZ = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// The type that holds `dtype` without change.
  public init(_ dtype: DType) {
    self =
      switch dtype {
      case .float32: .f32
      case .bfloat16: .bf16
      case .float16: .f16
      case .int8: .i8
      case .uint8: .u8
      case .int32: .i32
      case .int64: .i64
      case .bool: .bool
      }
  }

  /// Bits of one element.
  public var bitWidth: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// The type a tensor of this one is read as; nil when it cannot be read. `F64` becomes float32,
  /// integers the next wider type (`U64` int64, if its values fit).
  public var dtype: DType? {
    switch self {
    case .bool: .bool
    case .u8: .uint8
    case .i8: .int8
    case .f16: .float16
    case .bf16: .bfloat16
    case .i32, .i16, .u16: .int32
    case .f32, .f64: .float32
    case .i64, .u32, .u64: .int64
    case .f4, .f6E2M3, .f6E3M2, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ, .c64: nil
    }
  }

  /// Whether the bytes of a file are those of `dtype`.
  var isStoredAsRead: Bool {
    switch self {
    case .u8, .i8, .f16, .bf16, .i32, .f32, .i64: true
    default: false
    }
  }

  /// Position in the order in which a file keeps its tensors, the widest first.
  var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
