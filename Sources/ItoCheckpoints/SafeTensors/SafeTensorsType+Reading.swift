import ItoTensors

extension SafeTensorsType {
  /// The tensor whose elements begin at `start`: a view that `owner` keeps alive when they need no
  /// conversion and lie at a multiple of their size, else a copy. The bytes must be there.
  ///
  /// - Throws: `unsupported` for types without a `dtype` and `U64` elements beyond 63 bits.
  func tensor(
    _ name: String, at start: UnsafeRawPointer, _ shape: Shape, owner: AnyObject, file: String
  ) throws(CheckpointError) -> Tensor {
    guard let dtype else {
      throw .unsupported(
        file: file,
        reason: "the tensor '\(name)' has \(rawValue) elements, which are not supported")
    }
    let byteCount = shape.count * bitWidth / 8
    guard isStoredAsRead else {
      let source = UnsafeRawBufferPointer(start: start, count: byteCount)
      guard let result = converted(source, shape, to: dtype) else {
        throw .unsupported(
          file: file, reason: "the tensor '\(name)' has U64 elements of 2⁶³ and more")
      }
      return withExtendedLifetime(owner) { result }
    }
    if UInt(bitPattern: start) % UInt(dtype.byteCount) == 0 {
      let view = Storage(viewing: start, byteCount: byteCount, owner: owner)
      return Tensor(storage: view, shape: shape, dtype: dtype)
    }
    return withExtendedLifetime(owner) {
      Tensor(building: shape, dtype: dtype) { $0.copyMemory(from: start, byteCount: byteCount) }
    }
  }

  /// The elements as `dtype`; nil when one does not fit.
  private func converted(
    _ source: UnsafeRawBufferPointer, _ shape: Shape, to dtype: DType
  ) -> Tensor? {
    var fits = true
    let result = Tensor(building: shape, dtype: dtype) { out in
      switch self {
      case .bool: convert(source, out, UInt8.self) { $0 == 0 ? 0 : 1 as UInt8 }
      case .f64: convert(source, out, Double.self) { Float($0) }
      case .i16: convert(source, out, Int16.self) { Int32($0) }
      case .u16: convert(source, out, UInt16.self) { Int32($0) }
      case .u32: convert(source, out, UInt32.self) { Int64($0) }
      case .u64:
        convert(source, out, UInt64.self) {
          fits = fits && $0 <= UInt64(Int64.max)
          return Int64(truncatingIfNeeded: $0)
        }
      default: trap("\(rawValue) elements need no conversion")
      }
    }
    return fits ? result : nil
  }
}

/// Converts elements that may lie at any address.
private func convert<From: BitwiseCopyable, To>(
  _ source: UnsafeRawBufferPointer, _ out: UnsafeMutableRawPointer, _: From.Type,
  _ body: (From) -> To
) {
  let size = MemoryLayout<From>.size
  for i in 0..<(source.count / size) {
    let value = source.loadUnaligned(fromByteOffset: i * size, as: From.self)
    out.storeBytes(of: body(value), toByteOffset: i * MemoryLayout<To>.size, as: To.self)
  }
}
