public import ItoCheckpoints
public import ItoComponents
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A checkpoint that has been read.
public struct LoadedCheckpoint: Sendable {
  /// Steps done when it was saved.
  public let step: Int
  /// The JSON.
  public let state: JSONValue
  /// The tensors, mapped from their file.
  public let tensors: SafeTensors
}

/// The checkpoints of a run: a pair of files for each, `step-00001000.safetensors` with the tensors and
/// `step-00001000.json` with the rest.
///
/// The pair cannot tear. The tensors are written first and the JSON, which says how large they are and
/// what their checksum is, last, each appearing whole or not at all; a checkpoint exists when its JSON
/// does. Old pairs are removed JSON first. So a process killed at any instant leaves the previous
/// checkpoint or the new one, and possibly tensors that no JSON speaks for, which the next one removes.
public struct CheckpointFolder: Sendable {
  /// The folder.
  public let path: String
  /// How many checkpoints stay.
  public let keeps: Int

  /// A folder that keeps the last `keeps` checkpoints, at least one.
  public init(_ path: String, keeps: Int = 2) {
    self.path = path
    self.keeps = max(1, keeps)
  }

  /// The file with the tensors of the checkpoint at `step`.
  public func tensorFile(_ step: Int) -> String { "\(path)/\(Self.name(step)).safetensors" }
  /// The file with the rest.
  public func stateFile(_ step: Int) -> String { "\(path)/\(Self.name(step)).json" }

  private static func name(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The steps that there are checkpoints of, in order.
  public var steps: [Int] { numbered(".json") }

  /// The steps of the files called `step-….SUFFIX`.
  private func numbered(_ suffix: String) -> [Int] {
    guard let handle = opendir(path) else { return [] }
    defer { closedir(handle) }
    var found: [Int] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasPrefix("step-"), name.hasSuffix(suffix) else { continue }
      let digits = name.dropFirst(5).dropLast(suffix.count)
      if let step = Int(digits), step >= 0, digits.allSatisfy(\.isNumber) { found.append(step) }
    }
    return found.sorted()
  }

  /// Writes the checkpoint of `step` and removes those that are too old.
  ///
  /// - Parameter state: what the JSON says besides where the tensors are.
  /// - Throws: when the disk is full or not writable; the checkpoints there were are then unchanged.
  public func save(
    _ tensors: [String: Tensor], state: JSONObject, step: Int
  ) throws(TrainingError) {
    do throws(DataError) { try createFolder(path) } catch { throw .data(error) }
    do throws(CheckpointError) {
      try SafeTensors.write(tensors, to: tensorFile(step))
    } catch {
      throw .checkpoint(error)
    }
    var json = state
    json["tensors"] = [
      "file": .string(Self.name(step) + ".safetensors"),
      "checksum": .string(Self.checksum(tensors)),
    ]
    do throws(FileError) {
      try AtomicFile.write(
        stateFile(step), bytes: JSONValue.object(json).utf8(.pretty) + [UInt8(ascii: "\n")])
    } catch {
      throw .file(error)
    }
    removeOld(current: step)
  }

  /// The newest checkpoint, or nil when there is none.
  public func latest() throws(TrainingError) -> LoadedCheckpoint? {
    guard let step = steps.last else { return nil }
    return try load(step)
  }

  /// The checkpoint of `step`, verified from its first byte to its last.
  public func load(_ step: Int) throws(TrainingError) -> LoadedCheckpoint {
    let file = stateFile(step)
    let bytes: [UInt8]
    do throws(FileError) { bytes = try readFile(file, limit: 1 << 30) } catch { throw .file(error) }
    let state: JSONValue
    do throws(JSONError) { state = try JSONValue.parse(bytes) } catch {
      throw .corrupt(file: file, reason: error.description)
    }
    do throws(CheckpointError) {
      let source = try SafeTensors(path: tensorFile(step))
      var tensors: [String: Tensor] = [:]
      for key in source.keys { tensors[key] = try source.tensor(key) }
      guard state["tensors"]?["checksum"]?.string == Self.checksum(tensors) else {
        throw .corrupt(
          file: tensorFile(step), reason: "its checksum is not the one it was saved with")
      }
      return LoadedCheckpoint(step: step, state: state, tensors: source)
    } catch {
      throw .checkpoint(error)
    }
  }

  private func removeOld(current: Int) {
    let kept = Set(steps.filter { $0 <= current }.suffix(keeps))
    for step in steps where step < current && !kept.contains(step) {
      unlink(stateFile(step))
      unlink(tensorFile(step))
    }
    // Tensors whose JSON a killed process did not get to write, or got to remove.
    let complete = Set(steps)
    for step in numbered(".safetensors") where !complete.contains(step) { unlink(tensorFile(step)) }
  }

  /// A checksum of names, types, shapes and values, whatever the order.
  static func checksum(_ tensors: [String: Tensor]) -> String {
    var word: UInt64 = 0
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let header = Array("\(name) \(tensor.dtype) \(tensor.shape)".utf8)
      word = mixed(word ^ header.withUnsafeBytes { ItoTensors.checksum($0) })
      word = mixed(word ^ tensor.checksum)
    }
    return hex(word)
  }
}
