import ItoCheckpoints
import ItoComponents
import ItoModules
public import ItoTensors

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The power-function averages that a run saves now and then, from which those of other lengths are put
/// together when it is over: one safetensors file for each, with its power and its updates as metadata.
public struct AverageSnapshots: Sendable {
  /// The folder of the files.
  public let path: String

  /// The snapshots in `path`, which need not exist yet.
  public init(_ path: String) { self.path = path }

  private static let exponentKey = "ito.exponent"
  private static let updatesKey = "ito.updates"

  /// Writes every average that has a power-function profile. A run that is resumed writes the same files
  /// again.
  func save<M: Module>(_ averages: [WeightAverage<M>]) throws(TrainingError) {
    do throws(DataError) { try createFolder(path) } catch { throw .data(error) }
    for (number, average) in averages.enumerated() {
      guard let profile = average.profile as? PowerProfile else { continue }
      do throws(CheckpointError) {
        try SafeTensors.write(
          average.model.storedTensors,
          metadata: [
            Self.exponentKey: "\(profile.exponent)", Self.updatesKey: "\(average.updateCount)",
          ], to: "\(path)/average-\(average.updateCount)-\(number).safetensors")
      } catch {
        throw .checkpoint(error)
      }
    }
  }

  /// The average of `length` after `updates` updates (the last snapshot's when nil), float32 by name.
  ///
  /// - Throws: when there are no snapshots, or they are damaged or not of one model.
  /// - Cost: reads every snapshot up to `updates` once.
  public func average(length: Double, updates: Int? = nil) throws(TrainingError) -> [String: Tensor]
  {
    var files: [(snapshot: PostHocAverage.Snapshot, source: SafeTensors)] = []
    for name in names.sorted() {
      let source: SafeTensors
      do throws(CheckpointError) { source = try SafeTensors(path: path + "/" + name) } catch {
        throw .checkpoint(error)
      }
      guard let exponent = source.metadata[Self.exponentKey].flatMap(Double.init),
        let count = source.metadata[Self.updatesKey].flatMap(Double.init), count >= 1,
        exponent.isFinite, exponent >= 0
      else { throw .corrupt(file: path + "/" + name, reason: "it is no snapshot of an average") }
      files.append((.init(exponent: exponent, updates: count), source))
    }
    guard let last = files.map(\.snapshot.updates).max(), let keys = files.first?.source.keys else {
      throw .nothingToResume(folder: path)
    }
    let wanted = PostHocAverage.Snapshot(
      exponent: PowerProfile(length: length).exponent, updates: updates.map(Double.init) ?? last)
    let shares = PostHocAverage(wanted, from: files.map(\.snapshot)).coefficients
    let used = zip(shares, files).filter { $0.0 != 0 }
    guard !used.isEmpty else {
      throw .incompatible(
        file: path, reason: "no snapshot is as early as update \(Int(wanted.updates))")
    }
    var result: [String: Tensor] = [:]
    for key in keys {
      var terms: [(coefficient: Double, tensor: Tensor)] = []
      for (share, file) in used {
        do throws(CheckpointError) { terms.append((share, try file.source.tensor(key))) } catch {
          throw .checkpoint(error)
        }
      }
      let (first, rest) = (terms[0].tensor, terms.dropFirst())
      guard rest.allSatisfy({ $0.tensor.shape == first.shape }) else {
        throw .incompatible(file: path, reason: "'\(key)' has several shapes in the snapshots")
      }
      result[key] =
        first.dtype.isFloatingPoint
        ? .linearCombination(terms, dtype: .float32) : terms[terms.count - 1].tensor
    }
    return result
  }

  private var names: [String] {
    guard let handle = opendir(path) else { return [] }
    defer { closedir(handle) }
    var found: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix("average-"), name.hasSuffix(".safetensors") { found.append(name) }
    }
    return found
  }
}
