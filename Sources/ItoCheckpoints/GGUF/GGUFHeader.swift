import ItoComponents
import ItoTensors

/// The header of a GGUF file, checked against every rule of the format before any memory is taken.
///
/// - Source: ggml, `docs/gguf.md`, versions 2 and 3.
struct GGUFHeader: Sendable {
  struct Entry: Sendable {
    var name: String
    var type: GGUFType
    /// Outermost axis first.
    var shape: Shape
    /// The place of the first byte in the file.
    var start: Int
    var byteCount: Int
  }

  /// Tensors at most; large models have a few thousand.
  static let mostTensors = 1 << 16
  /// Keys at most; files with the shapes of their tensors have one for each.
  static let mostKeys = 1 << 13

  var entries: [Entry] = []
  /// The place of each name among them.
  var positions: [String: Int] = [:]
  /// Values of all keys as text; long arrays as their length.
  var metadata: [String: String] = [:]

  init(_ bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
    var reader = GGUFReader(bytes: bytes)
    do throws(GGUFFault) {
      try read(&reader)
    } catch {
      switch error {
      case .broken(let reason): throw .corrupt(file: file, reason: reason)
      case .unusual(let reason): throw .unsupported(file: file, reason: reason)
      }
    }
  }

  private mutating func read(_ reader: inout GGUFReader) throws(GGUFFault) {
    guard try reader.take(UInt32.self) == 0x4655_4747 else { throw .broken("it is not GGUF") }
    let version = try reader.take(UInt32.self)
    guard version == 2 || version == 3 else {
      throw .unusual(
        version > 0xFFFF
          ? "it is a big-endian GGUF file" : "it is of GGUF version \(version); 2 and 3 are read")
    }
    // The least an entry takes bounds how many there can be, and no model has this many.
    let tensorCount = try reader.count(UInt64.self, each: 24, of: "tensors")
    let keyCount = try reader.count(UInt64.self, each: 13, of: "keys")
    guard tensorCount <= Self.mostTensors, keyCount <= Self.mostKeys else {
      throw .broken(
        "it claims \(tensorCount) tensors and \(keyCount) keys; \(Self.mostTensors) and "
          + "\(Self.mostKeys) are allowed")
    }
    var arrays: [String: [Int]] = [:]
    for _ in 0..<keyCount {
      let key = try reader.text()
      guard !key.isEmpty else { throw .broken("one of its keys is empty") }
      let value = try reader.value()
      if let array = value.numbers { arrays[key] = array }
      guard metadata.updateValue(value.text, forKey: key) == nil else {
        throw .broken("it has the key \(quoted(key)) twice")
      }
    }
    let alignment = metadata["general.alignment"].map { Int($0) ?? 0 } ?? 32
    guard (1...(1 << 20)).contains(alignment), alignment & (alignment - 1) == 0 else {
      throw .broken("its alignment of \(alignment) is no power of two up to 1 MiB")
    }
    // What an entry takes is bounded by its text, as long as the list has no room to spare.
    entries.reserveCapacity(tensorCount)
    for _ in 0..<tensorCount { entries.append(try reader.entry(alignment)) }
    let data = (reader.position + alignment - 1) / alignment * alignment
    try place(from: data, fileSize: reader.bytes.count)
    restoreShapes(arrays)
  }

  /// Turns offsets into places in the file and checks that tensors do not overlap.
  private mutating func place(from data: Int, fileSize: Int) throws(GGUFFault) {
    positions.reserveCapacity(entries.count)
    for i in entries.indices {
      let entry = entries[i]
      guard positions.updateValue(i, forKey: entry.name) == nil else {
        throw .broken("it has two tensors called \(quoted(entry.name))")
      }
      guard data <= fileSize, entry.start <= fileSize - data,
        entry.byteCount <= fileSize - data - entry.start
      else {
        throw .broken("its tensor \(quoted(entry.name)) does not lie within the file")
      }
      entries[i].start = data + entry.start
    }
    let ordered = entries.indices.sorted { entries[$0].start < entries[$1].start }
    for (i, j) in zip(ordered, ordered.dropFirst()) {
      let (a, b) = (entries[i], entries[j])
      guard a.start + a.byteCount > b.start else { continue }
      throw .broken("its tensors \(quoted(a.name)) and \(quoted(b.name)) overlap")
    }
  }

  /// Gives tensors that were flattened to fit into blocks the shape they had.
  private mutating func restoreShapes(_ arrays: [String: [Int]]) {
    for i in entries.indices {
      guard let dims = arrays["comfy.gguf.orig_shape." + entries[i].name],
        dims.allSatisfy({ $0 > 0 && $0 <= entries[i].shape.count }), dims.count <= 8
      else { continue }
      // Divided rather than multiplied, which could overflow.
      var rest = entries[i].shape.count
      var fits = true
      for dim in dims {
        fits = fits && rest.isMultiple(of: dim)
        rest /= dim
      }
      if fits && rest == 1 { entries[i].shape = Shape(dims) }
    }
  }
}

/// What is wrong with a GGUF file.
enum GGUFFault: Error {
  /// Rules are broken.
  case broken(String)
  /// It uses what is not read.
  case unusual(String)
}
