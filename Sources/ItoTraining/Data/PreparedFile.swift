import ItoCheckpoints
import ItoComponents
import ItoTensors

/// A prepared copy of a data set on disk: a safetensors file that is mapped, not read.
///
/// It holds `pixels`, uint8 `[count, height, width, channels]`; `usable`, a byte for each item; and
/// `verification`, a checksum of both. Labels and captions are not in it: they come from the data set,
/// which knows them without decoding anything. What the pixels depend on is in its metadata.
struct PreparedFile {
  let path: String
  let key: String

  private static let keyName = "ito.prepared"

  init(folder: String, key: String) {
    path = folder + "/prepared-" + digest(key) + ".safetensors"
    self.key = key
  }

  /// The pictures, or nil when there is no copy, it belongs to other data or it is damaged.
  ///
  /// - Cost: reads the file once to verify it, which also brings it into the system's cache.
  func read(_ dataset: some Dataset, _ preparation: ImagePreparation) -> PreparedPixels? {
    let count = dataset.count
    let shape: Shape = [count, preparation.height, preparation.width, preparation.channels]
    guard let file = try? SafeTensors(path: path), file.metadata[Self.keyName] == key,
      let pixels = try? file.tensor("pixels"), pixels.shape == shape, pixels.dtype == .uint8,
      let usable = try? file.tensor("usable"), usable.shape == [count], usable.dtype == .uint8,
      let stored = try? file.tensor("verification"), stored.shape == [8], stored.dtype == .uint8
    else { return nil }
    var verification = Verification()
    let block = preparation.blockLength(count: count) * shape.count / count
    reading(pixels) { base in
      for start in stride(from: 0, to: shape.count, by: block) {
        let length = min(block, shape.count - start)
        verification.add(UnsafeRawBufferPointer(start: base + start, count: length))
      }
    }
    let flags = usable.integers
    flags.map(UInt8.init).withUnsafeBytes { verification.add($0) }
    guard stored.integers == verification.bytes.map(Int.init) else { return nil }

    var bad: [Int: String] = [:]
    for (index, isUsable) in flags.enumerated() where isUsable == 0 {
      // Few, and they say again what is wrong with them.
      var reason = "it could not be used when the prepared copy was made"
      do throws(DataError) { _ = try dataset.image(at: index) } catch { reason = "\(error)" }
      bad[index] = "\(dataset.name(of: index)): \(reason)"
    }
    return PreparedPixels(pixels: pixels, bad: bad)
  }

  /// Prepares the items into the file, which appears whole or not at all, and maps it.
  func write(
    _ dataset: some Dataset, _ preparation: ImagePreparation, _ isCancelled: () -> Bool,
    _ progress: (Int, Int) -> Void
  ) throws(DataError) -> PreparedPixels {
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "."
    try createFolder(folder)
    let count = dataset.count
    let shape = [count, preparation.height, preparation.width, preparation.channels]
    var verification = Verification()
    var file = try start()
    try append(header(pixels: shape), to: &file)
    let bad = try preparation.decodeBlocks(of: dataset, isCancelled, progress) {
      (_, bytes) throws(DataError) in
      verification.add(bytes)
      do throws(FileError) { try file.write(bytes) } catch { throw .file(error) }
    }
    var usable = [UInt8](repeating: 1, count: count)
    for index in bad.keys { usable[index] = 0 }
    usable.withUnsafeBytes { verification.add($0) }
    try append(usable + verification.bytes, to: &file)
    do throws(FileError) { try file.commit() } catch { throw .file(error) }
    guard let copy = read(dataset, preparation) else {
      throw .corrupt(path: path, reason: "it does not read back as it was written")
    }
    return copy
  }

  private func start() throws(DataError) -> AtomicFile {
    do throws(FileError) { return try AtomicFile(path) } catch { throw .file(error) }
  }

  private func append(_ bytes: [UInt8], to file: inout AtomicFile) throws(DataError) {
    do throws(FileError) { try file.write(bytes) } catch { throw .file(error) }
  }

  /// The file's beginning. The sizes of all parts are known before any picture is.
  private func header(pixels shape: [Int]) -> [UInt8] {
    var header: JSONObject = ["__metadata__": [Self.keyName: .string(key)]]
    var end = 0
    for (name, dims) in [("pixels", shape), ("usable", [shape[0]]), ("verification", [8])] {
      let start = end
      end += dims.reduce(1, *)
      let sizes = dims.map { JSONValue.integer(Int64($0)) }
      let offsets: [JSONValue] = [.integer(Int64(start)), .integer(Int64(end))]
      header[name] = ["dtype": "U8", "shape": .array(sizes), "data_offsets": .array(offsets)]
    }
    var text = JSONValue.object(header).utf8()
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -text.count & 7))
    return littleEndian(UInt64(text.count)) + text
  }
}

private func littleEndian(_ word: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
}

/// Checksums of parts, folded in order.
private struct Verification {
  private var word: UInt64 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) { word = mixed(word ^ checksum(bytes)) &+ 1 }

  var bytes: [UInt8] { littleEndian(word) }
}
