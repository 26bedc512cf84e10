import ItoComponents
import ItoTensors

/// Takes the fields of a GGUF header one after the other.
struct GGUFReader {
  let bytes: UnsafeRawBufferPointer
  /// The next byte to be read.
  var position = 0

  /// The value of a key.
  struct Value {
    var text: String
    /// The elements of a short array of whole numbers.
    var numbers: [Int]?
  }

  mutating func take<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(GGUFFault) -> T {
    guard let value = bytes.integer(T.self, at: position) else {
      throw .broken("its header is cut short")
    }
    position += MemoryLayout<T>.size
    return value
  }

  /// A number of things of at least `size` bytes each, which must still fit into the file.
  mutating func count<T: UnsignedInteger & FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, each size: Int, of what: String
  ) throws(GGUFFault) -> Int {
    let value = try take(T.self)
    guard value <= T(clamping: (bytes.count - position) / max(1, size)) else {
      throw .broken("it claims \(value) \(what), more than its size allows")
    }
    return Int(value)
  }

  mutating func text() throws(GGUFFault) -> String {
    let length = try count(UInt64.self, each: 1, of: "bytes of a name")
    guard let slice = bytes.slice(at: position, length: length),
      let text = String(validating: slice)
    else { throw .broken("its header has text that is not UTF-8 at byte \(position)") }
    position += length
    return text
  }

  mutating func value() throws(GGUFFault) -> Value {
    let type = try take(UInt32.self)
    return type == 9 ? try array() : Value(text: try scalar(type))
  }

  /// One value of a type that is no array.
  private mutating func scalar(_ type: UInt32) throws(GGUFFault) -> String {
    switch type {
    case 0: String(try take(UInt8.self))
    case 1: String(try take(Int8.self))
    case 2: String(try take(UInt16.self))
    case 3: String(try take(Int16.self))
    case 4: String(try take(UInt32.self))
    case 5: String(try take(Int32.self))
    case 6: String(Float(bitPattern: try take(UInt32.self)))
    case 7: try take(UInt8.self) == 0 ? "false" : "true"
    case 8: try text()
    case 10: String(try take(UInt64.self))
    case 11: String(try take(Int64.self))
    case 12: String(Double(bitPattern: try take(UInt64.self)))
    default: throw .broken("a value in its header is of the unknown type \(type)")
    }
  }

  /// An array, passed over but for the elements of short ones.
  private mutating func array() throws(GGUFFault) -> Value {
    let type = try take(UInt32.self)
    let sizes: [UInt32: Int] = [
      0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 10: 8, 11: 8, 12: 8,
    ]
    guard let size = sizes[type] else {
      throw .broken("an array in its header has elements of the unknown type \(type)")
    }
    let length = try count(UInt64.self, each: size, of: "elements of an array")
    if length <= 8 {
      var elements: [String] = []
      for _ in 0..<length { elements.append(try scalar(type)) }
      return Value(
        text: "[\(elements.joined(separator: ", "))]", numbers: elements.map { Int($0) ?? 0 })
    }
    if type == 8 {
      for _ in 0..<length {
        let bytes = try count(UInt64.self, each: 1, of: "bytes of a text")
        position += bytes
      }
    } else {
      position += length * size
    }
    return Value(text: "\(length) values")
  }

  /// What the file says of one tensor; its `start` still counts from the data's.
  mutating func entry(_ alignment: Int) throws(GGUFFault) -> GGUFHeader.Entry {
    let name = try text()
    let rank = try take(UInt32.self)
    guard rank <= 4 else {
      throw .broken("its tensor \(quoted(name)) has \(rank) axes, more than 4")
    }
    var dims: [Int] = []
    var count = 1
    for _ in 0..<rank {
      let dim = try take(UInt64.self)
      let (product, overflows) = count.multipliedReportingOverflow(by: Int(clamping: dim))
      guard dim > 0, !overflows, product <= Int.max / 64 else {
        throw .broken("its tensor \(quoted(name)) has an impossible shape")
      }
      count = product
      dims.append(Int(dim))
    }
    let id = try take(UInt32.self)
    guard let type = GGUFType.numbered(id) else {
      throw .unusual("its tensor \(quoted(name)) is of the unknown type \(id)")
    }
    guard (dims.first ?? 1) % type.blockCount == 0 else {
      throw .broken(
        "rows of its tensor \(quoted(name)) do not fill whole blocks of \(type.name)")
    }
    let offset = try take(UInt64.self)
    guard offset <= UInt64(bytes.count), offset % UInt64(alignment) == 0 else {
      throw .broken("its tensor \(quoted(name)) begins at no place it could")
    }
    return GGUFHeader.Entry(
      name: name, type: type, shape: Shape(dims.reversed()), start: Int(offset),
      byteCount: count / type.blockCount * type.blockSize)
  }
}
