import ItoCKernels

/// An immutable n-dimensional array of one runtime element type.
///
/// Value semantics: copies share the buffer until one of them is written through `update`. Elements
/// are contiguous, last axis fastest; images are channels-last, `[batch, height, width, channels]`.
/// Operations are eager, so a tensor that exists is computed and may be sent anywhere.
public struct Tensor: Sendable {
  package var storage: Storage
  /// Axis sizes, outermost first.
  public let shape: Shape
  /// Element type.
  public let dtype: DType
  package var node: GradientNode?

  /// A tensor whose elements are undefined until written.
  package init(uninitialized shape: Shape, dtype: DType = .float32) {
    self.init(
      storage: Storage(byteCount: shape.count * dtype.byteCount), shape: shape, dtype: dtype)
  }

  package init(storage: Storage, shape: Shape, dtype: DType) {
    require(
      storage.byteCount >= shape.count * dtype.byteCount,
      "a buffer of \(storage.byteCount) bytes is too small for \(dtype) \(shape)")
    self.storage = storage
    self.shape = shape
    self.dtype = dtype
  }

  /// A tensor whose elements `fill` writes, all of them. A profile knows the work by the file of the
  /// operation that asks for it.
  package init(
    building shape: Shape, dtype: DType = .float32, operation: StaticString = #fileID,
    _ fill: (UnsafeMutableRawPointer) -> Void
  ) {
    self.init(uninitialized: shape, dtype: dtype)
    let (base, bytes) = (storage.base, byteCount)
    profiled(operation, writing: bytes) { fill(base) }
  }

  /// Zeros.
  public init(zeros shape: Shape, dtype: DType = .float32) {
    self.init(building: shape, dtype: dtype) {
      $0.initializeMemory(as: UInt8.self, repeating: 0, count: shape.count * dtype.byteCount)
    }
  }

  /// `value` in every element.
  public init(repeating value: Double, shape: Shape, dtype: DType = .float32) {
    let ones = Tensor([Float](repeating: Float(value), count: shape.count), shape: shape)
    self = ones.cast(to: dtype)
  }

  private init<T>(copying values: [T], shape: Shape, dtype: DType) {
    require(values.count == shape.count, "\(values.count) values do not fill shape \(shape)")
    self.init(building: shape, dtype: dtype) { out in
      values.withUnsafeBytes { bytes in
        if let base = bytes.baseAddress { out.copyMemory(from: base, byteCount: bytes.count) }
      }
    }
  }

  /// A float32 tensor with `values` in row-major order.
  public init(_ values: [Float], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .float32)
  }
  /// An int32 tensor.
  @_disfavoredOverload
  public init(_ values: [Int32], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .int32)
  }
  /// An int64 tensor.
  @_disfavoredOverload
  public init(_ values: [Int64], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .int64)
  }
  /// A uint8 tensor.
  @_disfavoredOverload
  public init(_ values: [UInt8], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .uint8)
  }
  /// An int8 tensor.
  @_disfavoredOverload
  public init(_ values: [Int8], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .int8)
  }
  /// A bool tensor.
  @_disfavoredOverload
  public init(_ values: [Bool], shape: Shape) {
    self.init(copying: values, shape: shape, dtype: .bool)
  }
  /// A float32 scalar, shape `[]`.
  public init(scalar value: Double) { self.init([Float(value)], shape: []) }

  /// All elements as floats, whatever the element type.
  public var scalars: [Float] {
    let source = cast(to: .float32)
    return reading(source) {
      Array(UnsafeBufferPointer(start: $0.of(Float.self), count: shape.count))
    }
  }

  /// All elements as integers. Floating-point elements are truncated.
  public var integers: [Int] {
    if dtype == .int64 {
      return reading(self) { p in (0..<shape.count).map { Int(p.of(Int64.self)[$0]) } }
    }
    if dtype == .int32 {
      return reading(self) { p in (0..<shape.count).map { Int(p.of(Int32.self)[$0]) } }
    }
    return scalars.map { Int($0) }
  }

  /// The only element of a one-element tensor.
  public var item: Float {
    require(shape.count == 1, "item of a tensor of shape \(shape)")
    return scalars[0]
  }

  /// Bytes the elements take.
  public var byteCount: Int { shape.count * dtype.byteCount }

  /// Whether gradients flow through this value.
  public var isTracked: Bool { node != nil }

  /// The same values without gradient history.
  public func detached() -> Tensor {
    var copy = self
    copy.node = nil
    return copy
  }

  /// The address of the buffer, to observe sharing in tests and benchmarks.
  public var storageAddress: UInt { UInt(bitPattern: storage.base) }

  /// Whether the bytes can be written without a copy: nothing else reads them.
  package mutating func ownsBytes() -> Bool {
    isKnownUniquelyReferenced(&storage) && !storage.isMapped
  }

  /// Writes float32 elements in place; the buffer is copied first only if it is shared.
  public mutating func update(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    require(dtype == .float32, "update needs float32 elements, not \(dtype)")
    let count = shape.count
    updateBytes { body(UnsafeMutableBufferPointer(start: $0.of(Float.self), count: count)) }
  }

  /// Writes the bytes in place; the buffer is copied first if it is shared or mapped from a file.
  package mutating func updateBytes(_ body: (UnsafeMutableRawPointer) -> Void) {
    if ownsBytes() {
      storage.dropAttachment()
    } else {
      let fresh = Storage(byteCount: byteCount)
      fresh.base.copyMemory(from: storage.base, byteCount: byteCount)
      storage = fresh
    }
    withExtendedLifetime(storage) { body(storage.base) }
  }
}

extension UnsafeRawPointer {
  package func of<T>(_: T.Type) -> UnsafePointer<T> { assumingMemoryBound(to: T.self) }
}
extension UnsafeMutableRawPointer {
  package func of<T>(_: T.Type) -> UnsafeMutablePointer<T> { assumingMemoryBound(to: T.self) }
}

// A buffer may be released right after its tensor's last use, so kernels get pointers only inside
// these closures.
package func reading<R>(_ a: Tensor, _ body: (UnsafeRawPointer) -> R) -> R {
  ito_profile_read(Int64(a.byteCount))
  return withExtendedLifetime(a.storage) { body(UnsafeRawPointer(a.storage.base)) }
}

package func reading<R>(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafeRawPointer, UnsafeRawPointer) -> R
) -> R { reading(a) { a in reading(b) { b in body(a, b) } } }

package func reading<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor,
  _ body: (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer) -> R
) -> R { reading(a, b) { a, b in reading(c) { c in body(a, b, c) } } }

package func reading<R>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor,
  _ body: (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer) -> R
) -> R { reading(a, b) { a, b in reading(c, d) { c, d in body(a, b, c, d) } } }

/// The pointer of an optional tensor, nil when there is none.
package func readingOptional<R>(_ a: Tensor?, _ body: (UnsafeRawPointer?) -> R) -> R {
  guard let a else { return body(nil) }
  return reading(a) { body($0) }
}
