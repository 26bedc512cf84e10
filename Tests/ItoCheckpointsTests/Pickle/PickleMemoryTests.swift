import ItoCAllocations
import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Memory of the pickle reader", .enabled(if: ito_allocations_counted()))
struct PickleMemoryTests {
  /// Programs of one piece again and again.
  static let pickles: [(name: String, begin: [UInt8], piece: [UInt8], end: [UInt8])] = [
    ("nothing", [], Array("N".utf8), []), ("empty lists", [], Array("]".utf8), []),
    ("empty lists dropped", [], Array("]0".utf8), []), ("empty tuples", [], Array(")".utf8), []),
    ("empty dictionaries", [], Array("}".utf8), []), ("marks", [], Array("(".utf8), []),
    ("marked lists", [], Array("(l".utf8), []),
    ("marked tuples dropped", [], Array("(t0".utf8), []),
    ("copies", Array("N".utf8), Array("2".utf8), []),
    ("memo", Array("N".utf8), [0x94], []), ("memo of lists", [], [0x5D, 0x94], []),
    (
      "a far place in the memo",
      Array("Nr".utf8) + HostileFile.number(UInt32(HostileFile.size - 100)), Array("N".utf8), []
    ),
    ("numbers", [], [0x4B, 7], []), ("empty texts", [], [0x8C, 0], []),
    ("short texts", [], [0x8C, 1, 0x61], []),
    ("texts", [], [0x8C, 16] + Array("0123456789abcdef".utf8), []),
    ("texts dropped", [], [0x8C, 16] + Array("0123456789abcdef0".utf8), []),
    ("lines", [], Array("Va\n".utf8), []),
    ("a list", Array("](".utf8), Array("N".utf8), Array("e".utf8)),
    ("appends", Array("]".utf8), Array("Na".utf8), []),
    ("items", Array("}".utf8), Array("NNs".utf8), []),
    ("a dictionary", Array("}(".utf8), [0x4B, 1, 0x4B, 1], Array("u".utf8)),
    ("one-tuples", [], [0x4E, 0x85], []), ("nested tuples", Array("N".utf8), [0x85], []),
    ("ordered dictionaries", [], Array("ccollections\nOrderedDict\n)R0".utf8), []),
    ("names", [], Array("ctorch\nFloatStorage\n".utf8), []),
    ("shared lists", Array("](NNNNNNNNeq\u{1}0](".utf8), Array("h\u{1}".utf8), Array("e".utf8)),
    ("one text", [0x58] + HostileFile.number(UInt32(HostileFile.size)), Array("x".utf8), []),
    ("notes", Array("}(".utf8), [0x8C, 3] + Array("abc".utf8) + [0x8C, 0], Array("u".utf8)),
  ]

  @Test("pickles", arguments: pickles.indices)
  func pickle(_ number: Int) {
    let (name, begin, piece, end) = Self.pickles[number]
    let count = HostileFile.size / piece.count
    let bytes =
      [0x80, 2] + begin + [UInt8](repeatElement(piece, count: count).joined()) + end + [0x2E]
    let (peak, error) = HostileFile.peak(bytes) {
      _ = try PickleCheckpoint(viewing: $0, owner: $1, origin: "x")
    }
    #expect(
      peak <= 4 * bytes.count + allowedExcess,
      "\(name): \(peak) for \(bytes.count), \(error ?? "opened")")
  }

  /// Notes with names of their own, storages and tensors.
  @Test("pickles whose pieces differ", arguments: 0..<4)
  func numberedPickle(_ kind: Int) {
    func short(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
    let storage = { (key: String) in
      [0x28] + short("storage") + Array("h\u{1}".utf8) + short(key) + short("cpu")
        + [0x4B, 1, 0x74, 0x51]
    }
    let count = HostileFile.size / (kind == 0 ? 8 : 40)
    let middle = (0..<count).flatMap { i -> [UInt8] in
      let key = String(i, radix: 36)
      switch kind {
      case 0: return short(key) + [0x4B, 1]
      case 1: return short(key) + storage(key)
      case 2:
        return short(key) + Array("h\u{2}(".utf8) + storage("0") + [
          0x4B, 0, 0x29, 0x29, 0x74, 0x52,
        ]
      default: return short(key) + Array("}(".utf8) + short("a") + [0x4B, 1, 0x75]
      }
    }
    let begin = Array(
      "\u{2}ctorch\nFloatStorage\nq\u{1}0ctorch._utils\n_rebuild_tensor_v2\nq\u{2}0}(".utf8)
    let bytes = [0x80] + begin + middle + [0x75, 0x2E]
    let (peak, error) = HostileFile.peak(bytes) {
      _ = try PickleCheckpoint(viewing: $0, owner: $1, origin: "x")
    }
    #expect(
      peak <= 4 * bytes.count + allowedExcess,
      "\(kind): \(peak) for \(bytes.count), \(error ?? "opened")")
  }

  @Test("a checkpoint of 467 tensors in 200 kB is opened")
  func smallCheckpoint() throws {
    let bytes = try fixtureBytes("single_file/sd1.ckpt")
    var count = 0
    let (peak, error) = HostileFile.peak(bytes) {
      count = try PickleCheckpoint(viewing: $0, owner: $1, origin: "x").contents.count
    }
    #expect(error == nil && count == 467)
    #expect(peak <= 4 * bytes.count + allowedExcess, "\(peak) for \(bytes.count)")
  }

  @Test("an archive of many empty parts")
  func zip() {
    var local: [UInt8] = []
    var directory: [UInt8] = []
    for i in 0..<40_000 {
      let name = Array(String(i, radix: 36).utf8)
      let place = local.count
      local +=
        [0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22)
        + HostileFile.number(UInt16(name.count)) + [0, 0] + name
      directory +=
        [0x50, 0x4B, 1, 2] + [UInt8](repeating: 0, count: 24)
        + HostileFile.number(UInt16(name.count)) + [UInt8](repeating: 0, count: 12)
        + HostileFile.number(UInt32(place)) + name
    }
    let bytes =
      local + directory + [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 8)
      + HostileFile.number(UInt32(directory.count)) + HostileFile.number(UInt32(local.count)) + [
        0, 0,
      ]
    let (peak, error) = HostileFile.peak(bytes) {
      _ = try PickleCheckpoint(viewing: $0, owner: $1, origin: "x")
    }
    #expect(error?.contains("data.pkl") == true)
    #expect(peak <= 4 * bytes.count + allowedExcess, "\(peak) for \(bytes.count)")
  }
}
