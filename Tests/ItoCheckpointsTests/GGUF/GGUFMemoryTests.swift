import ItoCAllocations
import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Memory of the GGUF reader", .enabled(if: ito_allocations_counted()))
struct GGUFMemoryTests {
  /// A string as GGUF writes it.
  private static func text(_ text: String) -> [UInt8] {
    withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
  }

  private static func gguf(tensors: Int, keys: Int, _ rest: [UInt8]) -> [UInt8] {
    Array("GGUF".utf8) + HostileFile.number(UInt32(3)) + HostileFile.number(UInt64(tensors))
      + HostileFile.number(UInt64(keys)) + rest
  }

  static let ggufFiles: [(name: String, bytes: [UInt8])] = {
    // Tensors of one byte, each at an offset of its own, 32 bytes apart.
    func tensors(_ count: Int, axes: Int) -> [UInt8] {
      (0..<count).flatMap { i -> [UInt8] in
        let ones = [UInt8](repeatElement(HostileFile.number(UInt64(1)), count: axes).joined())
        return text(String(i, radix: 36)) + HostileFile.number(UInt32(axes)) + ones
          + HostileFile.number(UInt32(24))
          + HostileFile.number(UInt64(32 * i))
      }
    }
    func keys(_ count: Int, _ value: [UInt8]) -> [UInt8] {
      (0..<count).flatMap { text("k" + String($0, radix: 36)) + value }
    }
    let eight =
      HostileFile.number(UInt32(9)) + HostileFile.number(UInt32(10)) + HostileFile.number(UInt64(8))
      + [UInt8](repeatElement(HostileFile.number(UInt64.max), count: 8).joined())
    return [
      ("tensors", gguf(tensors: 65536, keys: 0, tensors(65536, axes: 0))),
      ("tensors of four axes", gguf(tensors: 65536, keys: 0, tensors(65536, axes: 4))),
      (
        "tensors with data",
        gguf(tensors: 65536, keys: 0, tensors(65536, axes: 1))
          + [UInt8](repeating: 0, count: 33 * 65536)
      ),
      ("keys", gguf(tensors: 0, keys: 8192, keys(8192, HostileFile.number(UInt32(0)) + [255]))),
      ("short arrays", gguf(tensors: 0, keys: 8192, keys(8192, eight))),
      ("one name", gguf(tensors: 1, keys: 0, text(HostileFile.repeated("x", separator: "")))),
      (
        "one key",
        gguf(
          tensors: 0, keys: 2,
          text(HostileFile.repeated("x", separator: "")) + HostileFile.number(UInt32(0)) + [1]
            + text(HostileFile.repeated("x", separator: "")) + HostileFile.number(UInt32(0)) + [1])
      ),
      (
        "one value",
        gguf(
          tensors: 0, keys: 1,
          text("k") + HostileFile.number(UInt32(8)) + text(HostileFile.repeated("x", separator: ""))
        )
      ),
      (
        "a short array of long texts",
        gguf(
          tensors: 0, keys: 1,
          text("k") + HostileFile.number(UInt32(9)) + HostileFile.number(UInt32(8))
            + HostileFile.number(UInt64(8))
            + [UInt8](
              repeatElement(
                text(HostileFile.repeated("x", separator: "", size: HostileFile.size / 8)), count: 8
              ).joined()))
      ),
    ]
  }()

  @Test("GGUF", arguments: ggufFiles.indices)
  func gguf(_ number: Int) {
    let (name, bytes) = Self.ggufFiles[number]
    let (peak, error) = HostileFile.peak(bytes) {
      _ = try GGUF(viewing: $0, owner: $1, origin: "x")
    }
    #expect(
      peak <= 4 * bytes.count + allowedExcess,
      "\(name): \(peak) for \(bytes.count), \(error ?? "opened")")
  }
}
