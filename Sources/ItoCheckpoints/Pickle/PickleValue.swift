import ItoTensors

/// What a pickle's program can leave on its stack. Nothing here does anything.
///
/// Objects that hold others are numbers of places in the machine's arena, not references: a
/// pickle can nest or share them as it likes, and freeing them takes no recursion.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  case text(String)
  /// Bytes, or a number beyond 64 bits: nothing that is asked for has them.
  case opaque
  case list(Int)
  case tuple(Int)
  /// Keys and values in turn.
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)
}

/// A run of elements in the file that tensors refer to.
struct PickleStorage: Sendable {
  var type: SafeTensorsType
  var key: String
  /// Elements it claims to have.
  var count: Int
}

/// A tensor as a pickle describes it.
struct PickleTensor: Sendable {
  var storage: Int
  /// Elements before its first.
  var offset: Int
  var shape: Shape
  /// Elements from one to the next along each axis.
  var strides: [Int]

  /// Whether its elements lie one after the other in our order.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape.dims, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }
}

/// The names a pickle may mention: those that put tensors together and a few that older files
/// carry along, which are passed over. Every other name is refused.
enum PickleGlobal: Sendable, Hashable {
  case rebuildTensor
  case rebuildParameter
  case rebuildFromType
  case dictionary
  case size
  case storage(SafeTensorsType)
  /// A name whose objects are of no use here and are not made.
  case passedOver

  /// The global `module.name`; nil when it is not allowed.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor"):
      self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"),
      ("torch._utils", "_rebuild_parameter_with_state"):
      self = .rebuildParameter
    case ("torch._tensor", "_rebuild_from_type_v2"): self = .rebuildFromType
    case ("collections", "OrderedDict"): self = .dictionary
    case ("torch", "Size"): self = .size
    case ("torch", let name) where name.hasSuffix("Storage"):
      guard let type = Self.storages[String(name.dropLast("Storage".count))] else { return nil }
      self = .storage(type)
    case ("torch", let name) where Self.types.contains(name): self = .passedOver
    case ("torch", "device"), ("torch", "Tensor"), ("torch.nn.parameter", "Parameter"),
      ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy.core.multiarray", "scalar"),
      ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"),
      ("numpy._core.multiarray", "_reconstruct"), ("_codecs", "encode"),
      ("__builtin__", "set"), ("builtins", "set"),
      ("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"):
      self = .passedOver
    default: return nil
    }
  }

  private static let storages: [String: SafeTensorsType] = [
    "Double": .f64, "Float": .f32, "Half": .f16, "BFloat16": .bf16, "Long": .i64, "Int": .i32,
    "Short": .i16, "Char": .i8, "Byte": .u8, "Bool": .bool,
  ]
  private static let types: Set<String> = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
  ]
}
