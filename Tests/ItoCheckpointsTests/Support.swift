import Foundation
import ItoTensors

@testable import ItoCheckpoints

/// A folder that goes with the value that owns it.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "ito-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  @discardableResult
  func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
}

/// A golden file of the suite.
func fixture(_ name: String) -> String {
  let here = URL(fileURLWithPath: #filePath)
  return here.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/\(name)").path
}

/// The bytes of a safetensors file with this header and data, rules broken or not.
func safeTensorsFile(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  let text = Array(header.utf8)
  let count = (length ?? UInt64(text.count)).littleEndian
  return withUnsafeBytes(of: count) { Array($0) } + text + data
}

/// `"name":{"dtype":…}` of a header.
func entry(_ name: String, _ type: String, _ shape: [Int], _ range: Range<Int>) -> String {
  "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),"
    + "\"data_offsets\":[\(range.lowerBound),\(range.upperBound)]}"
}

/// The description of the error that `body` throws.
func failure(_ body: () throws(CheckpointError) -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return error.description
  }
}

extension Tensor {
  var bytes: [UInt8] {
    var copy = [UInt8](repeating: 0, count: byteCount)
    reading(self) { source in
      copy.withUnsafeMutableBytes { $0.copyMemory(from: .init(start: source, count: byteCount)) }
    }
    return copy
  }
}
