/// The element type of a tensor. Raw values are shared with the native kernels.
public enum DType: Int32, Sendable, Hashable, CaseIterable {
  case float32 = 0
  case bfloat16 = 1
  case float16 = 2
  case int8 = 3
  case uint8 = 4
  case int32 = 5
  case int64 = 6
  case bool = 7

  /// Bytes per element.
  public var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .bfloat16, .float16: 2
    case .int8, .uint8, .bool: 1
    case .int64: 8
    }
  }

  /// Whether values of this type can carry gradients.
  public var isFloatingPoint: Bool { self == .float32 || self == .bfloat16 || self == .float16 }

  /// The name users type: `float32`, `bfloat16`, …
  public var name: String { "\(self)" }

  /// The type named `name`; accepts `f32`, `fp16`, `bf16` and the like.
  public init?(name: String) {
    switch name.lowercased() {
    case "float32", "f32", "fp32", "float": self = .float32
    case "bfloat16", "bf16": self = .bfloat16
    case "float16", "f16", "fp16", "half": self = .float16
    case "int8", "i8": self = .int8
    case "uint8", "u8": self = .uint8
    case "int32", "i32": self = .int32
    case "int64", "i64": self = .int64
    case "bool": self = .bool
    default: return nil
    }
  }

  /// The type an operation on `self` and `other` computes in: the wider of two floating types
  /// (float16 with bfloat16 gives float32); a floating type wins over an integer one.
  package func promoted(with other: DType) -> DType {
    if self == other { return self }
    switch (isFloatingPoint, other.isFloatingPoint) {
    case (true, true): return .float32
    case (true, false): return self
    case (false, true): return other
    case (false, false): return byteCount >= other.byteCount ? self : other
    }
  }
}
