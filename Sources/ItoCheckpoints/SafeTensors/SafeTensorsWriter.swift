import ItoComponents
public import ItoTensors

extension SafeTensors {
  /// Writes tensors to a safetensors file, so that it appears whole or not at all.
  ///
  /// The bytes are those the reference implementation writes: the widest types first, then by name;
  /// the header padded to a multiple of 8 bytes; metadata sorted by key.
  /// - Throws: `CheckpointError.file` when the folder cannot be written or the disk is full; an
  ///   earlier file at `path` is then unchanged.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to path: String
  ) throws(CheckpointError) {
    do {
      try AtomicFile.write(path) { (file) throws(FileError) in
        try encode(tensors, metadata: metadata) { (bytes) throws(FileError) in
          try file.write(bytes)
        }
      }
    } catch {
      throw .file(error)
    }
  }

  /// The file `write` would write, in memory.
  public static func encoded(
    _ tensors: [String: Tensor], metadata: [String: String] = [:]
  ) -> [UInt8] {
    var result: [UInt8] = []
    encode(tensors, metadata: metadata) { result.append(contentsOf: $0) }
    return result
  }

  private static func encode<E: Error>(
    _ tensors: [String: Tensor], metadata: [String: String],
    _ write: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    require(tensors["__metadata__"] == nil, "'__metadata__' cannot be the name of a tensor")
    let ordered = tensors.map { (name: $0, tensor: $1, rank: SafeTensorsType($1.dtype).rank) }
      .sorted {
        $0.rank != $1.rank
          ? $0.rank > $1.rank : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
    var header = JSONObject()
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      header["__metadata__"] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
    }
    var end: Int64 = 0
    for (name, tensor, _) in ordered {
      let begin = end
      end += Int64(tensor.byteCount)
      header[name] = [
        "dtype": .string(SafeTensorsType(tensor.dtype).rawValue),
        "shape": .array(tensor.shape.dims.map { .integer(Int64($0)) }),
        "data_offsets": [.integer(begin), .integer(end)],
      ]
    }
    var text = JSONValue.object(header).utf8()
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -text.count & 7))
    let length = UInt64(text.count).littleEndian
    let start = withUnsafeBytes(of: length) { Array($0) } + text
    try start.withUnsafeBufferPointer { (bytes) throws(E) in
      try write(UnsafeRawBufferPointer(bytes))
    }
    for (_, tensor, _) in ordered {
      try withExtendedLifetime(tensor.storage) { () throws(E) in
        try write(UnsafeRawBufferPointer(start: tensor.storage.base, count: tensor.byteCount))
      }
    }
  }
}
