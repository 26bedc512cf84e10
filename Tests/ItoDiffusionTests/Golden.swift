import Foundation
import ItoCheckpoints
import ItoComponents
import ItoTensors

/// A recorded run: its configuration and its tensors, `in.*` and `out.*`.
struct Golden {
  let config: JSONValue
  private let tensors: SafeTensors

  init(_ folder: String) throws {
    config = try JSONValue.parse(try readFile(folder + "/config.json"), options: .python)
    tensors = try SafeTensors(path: folder + "/io.safetensors")
  }

  /// The tensor called `name`, or nil when there is none.
  func tensor(_ name: String) throws -> Tensor? {
    tensors.keys.contains(name) ? try tensors.tensor(name) : nil
  }

  /// The folder of the package's own goldens of schedulers.
  static let schedulers: String = {
    let file = URL(fileURLWithPath: #filePath)
    let tests = file.deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("Fixtures/schedulers").path
  }()

  static func folders(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { folder + "/" + $0 }
  }
}
