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
    do throws(FileError) {
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

  /// Writes all tensors of `source` to a safetensors file, so that it appears whole or not at all.
  ///
  /// One tensor is in memory at a time.
  ///
  /// - Parameters:
  ///   - dtype: the element type of floating-point tensors; nil leaves it as it is.
  ///   - progress: told how many of how many bytes are written.
  public static func write(
    _ source: any TensorSource, dtype: DType? = nil, metadata: [String: String] = [:],
    to path: String, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    var pending: [Pending<CheckpointError>] = []
    for key in source.keys {
      guard let shape = source.shape(of: key), let own = source.dtype(of: key) else {
        // Says what cannot be read.
        _ = try source.tensor(key)
        continue
      }
      let type = own.isFloatingPoint ? dtype ?? own : own
      pending.append(
        Pending(name: key, shape: shape, dtype: type) { () throws(CheckpointError) in
          try source.tensor(key).cast(to: type)
        })
    }
    let total = pending.reduce(0) { $0 + $1.byteCount }
    var file: AtomicFile
    do throws(FileError) {
      file = try AtomicFile(path)
    } catch {
      throw .file(error)
    }
    var done = 0
    try encode(pending, metadata: metadata) { (bytes) throws(CheckpointError) in
      do throws(FileError) {
        try file.write(bytes)
      } catch {
        throw .file(error)
      }
      done += bytes.count
      progress(min(done, total), total)
    }
    do throws(FileError) {
      try file.commit()
    } catch {
      throw .file(error)
    }
  }

  /// A tensor to be written.
  private struct Pending<E: Error> {
    var name: String
    var shape: Shape
    var dtype: DType
    var make: () throws(E) -> Tensor

    var byteCount: Int { shape.count * dtype.byteCount }
  }

  private static func encode<E: Error>(
    _ tensors: [String: Tensor], metadata: [String: String],
    _ write: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    let pending = tensors.map { name, tensor in
      Pending<E>(name: name, shape: tensor.shape, dtype: tensor.dtype) { () throws(E) in tensor }
    }
    try encode(pending, metadata: metadata, write)
  }

  private static func encode<E: Error>(
    _ tensors: [Pending<E>], metadata: [String: String],
    _ write: (UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    require(
      !tensors.contains { $0.name == "__metadata__" },
      "'__metadata__' cannot be the name of a tensor")
    let ordered = tensors.map { (tensor: $0, rank: SafeTensorsType($0.dtype).rank) }.sorted {
      $0.rank != $1.rank
        ? $0.rank > $1.rank : $0.tensor.name.utf8.lexicographicallyPrecedes($1.tensor.name.utf8)
    }
    var header = JSONObject()
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      header["__metadata__"] = .object(JSONObject(sorted.map { ($0.key, .string($0.value)) }))
    }
    var end: Int64 = 0
    for (tensor, _) in ordered {
      let begin = end
      end += Int64(tensor.byteCount)
      header[tensor.name] = [
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
    for (pending, _) in ordered {
      let tensor = try pending.make()
      try withExtendedLifetime(tensor.storage) { () throws(E) in
        try write(UnsafeRawBufferPointer(start: tensor.storage.base, count: tensor.byteCount))
      }
    }
  }
}
