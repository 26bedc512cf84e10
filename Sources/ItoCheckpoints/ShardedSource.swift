import ItoComponents
public import ItoTensors

/// A checkpoint in several safetensors files, with an index (`….safetensors.index.json`) that says
/// which tensor is in which. Tensors in the files that the index does not name are not offered.
public struct ShardedSource: TensorSource {
  /// The index's path.
  public let origin: String
  /// The files, sorted by name.
  public let shards: [SafeTensors]
  /// The index's metadata as text.
  public let metadata: [String: String]

  private let places: [String: Int]

  /// Opens the index at `path` and every file it names, which must lie beside it.
  ///
  /// - Parameter mapped: see `SafeTensors`.
  public init(index path: String, mapped: Bool = true) throws(CheckpointError) {
    func corrupt(_ reason: String) -> CheckpointError { .corrupt(file: path, reason: reason) }

    let json = try readJSON(path)
    guard let map = json["weight_map"]?.object else {
      throw corrupt("it has no 'weight_map', so it is no index of a checkpoint")
    }
    // Files are opened as they are met and every tensor must be in one of them, so that what is kept is
    // bounded by what exists, not by what the index claims.
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var opened: [String: SafeTensors] = [:]
    for (key, value) in map {
      // A name that leads out of the folder is not something to follow.
      guard let name = value.string, !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")),
        !name.utf8.contains(0)
      else {
        throw corrupt("\(value.brief) for \(quoted(key)) is not the name of a file beside it")
      }
      if opened[name] == nil {
        do {
          opened[name] = try SafeTensors(path: folder + name, mapped: mapped)
        } catch .file(let error) {
          throw corrupt("it names \(quoted(name)), which cannot be opened (\(error.reason))")
        }
      }
      guard opened[name]?.entry(key) != nil else {
        throw corrupt(
          "it says that \(quoted(name)) has the tensor \(quoted(key)), which it has not")
      }
    }
    let shards = opened.sorted { $0.key < $1.key }
    let numbers = Dictionary(uniqueKeysWithValues: shards.enumerated().map { ($1.key, $0) })
    var places: [String: Int] = [:]
    for (key, value) in map { places[key] = value.string.flatMap { numbers[$0] } }
    origin = path
    self.shards = shards.map(\.value)
    self.places = places
    let texts = json["metadata"]?.object ?? [:]
    guard texts.count <= SafeTensorsHeader.mostTexts else {
      throw corrupt(
        "its metadata has \(texts.count) entries; \(SafeTensorsHeader.mostTexts) are allowed")
    }
    metadata = texts.reduce(into: [:]) {
      $0[$1.key] = $1.value.string ?? $1.value.text()
    }
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(places.keys) }

  /// What is stored under each name, file by file.
  public var contents: [StoredTensor] {
    shards.enumerated().flatMap { number, shard in
      shard.contents.filter { places[$0.name] == number }
    }
  }

  /// The shape of a tensor as stored.
  public func shape(of key: String) -> Shape? { places[key].flatMap { shards[$0].shape(of: key) } }

  /// The element type `tensor` gives.
  public func dtype(of key: String) -> DType? { places[key].flatMap { shards[$0].dtype(of: key) } }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { shards.flatMap(\.mappedFiles) }

  /// Reads a tensor.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let place = places[key] else { throw .noSuchTensor(key, file: origin) }
    return try shards[place].tensor(key)
  }
}

/// Reads a JSON file that Python may have written.
func readJSON(_ path: String) throws(CheckpointError) -> JSONValue {
  let bytes: [UInt8]
  do {
    bytes = try readFile(path, limit: SafeTensorsHeader.longest)
  } catch {
    throw .file(error)
  }
  do {
    return try JSONValue.parse(bytes, options: .python)
  } catch {
    throw .corrupt(file: path, reason: "it is not valid JSON: \(error)")
  }
}
