public import ItoTensors

/// Several sources as one, each under a prefix of its own.
public struct CombinedSource: TensorSource {
  /// Where it comes from.
  public let origin: String
  /// Free text to go with the tensors.
  public var metadata: [String: String] = [:]
  private let parts: [(prefix: String, source: any TensorSource)]
  private let places: [String: (part: Int, key: String)]

  /// The tensors of `parts`, each with its prefix before its name.
  ///
  /// - Throws: `unsupported` when two have the same name.
  public init(
    _ parts: [(prefix: String, source: any TensorSource)], origin: String
  ) throws(CheckpointError) {
    var places: [String: (part: Int, key: String)] = [:]
    for (number, part) in parts.enumerated() {
      for key in part.source.keys {
        let name = part.prefix + key
        guard places.updateValue((number, key), forKey: name) == nil else {
          throw .unsupported(file: origin, reason: "two of its parts have a tensor '\(name)'")
        }
      }
    }
    self.parts = parts
    self.places = places
    self.origin = origin
  }

  /// The names of all tensors.
  public var keys: Set<String> { Set(places.keys) }

  /// What is stored under each name, part by part.
  public var contents: [StoredTensor] {
    parts.flatMap { part in
      part.source.contents.map { stored in
        var copy = stored
        copy.name = part.prefix + stored.name
        return copy
      }
    }
  }

  /// The shape of a tensor.
  public func shape(of key: String) -> Shape? {
    places[key].flatMap { parts[$0.part].source.shape(of: $0.key) }
  }

  /// The element type of a tensor.
  public func dtype(of key: String) -> DType? {
    places[key].flatMap { parts[$0.part].source.dtype(of: $0.key) }
  }

  /// The files whose memory its tensors share.
  public var mappedFiles: [MappedFile] { parts.flatMap(\.source.mappedFiles) }

  /// Reads a tensor.
  public func tensor(_ key: String) throws(CheckpointError) -> Tensor {
    guard let place = places[key] else { throw .noSuchTensor(key, file: origin) }
    return try parts[place.part].source.tensor(place.key)
  }
}
