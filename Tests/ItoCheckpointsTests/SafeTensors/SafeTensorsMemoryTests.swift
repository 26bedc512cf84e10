import ItoCAllocations
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoCheckpoints

@Suite("Memory of the safetensors readers", .enabled(if: ito_allocations_counted()))
struct SafeTensorsMemoryTests {
  static let headers: [(name: String, text: String)] = {
    let empty = "\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]"
    let scalar = "\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]"
    let axes = [Int](repeating: 0, count: 16).map(String.init).joined(separator: ",")
    return [
      ("empty tensors", HostileFile.repeated("\"#\":{\(empty)}")),
      ("long names", HostileFile.repeated("\"model.diffusion_model.output_blocks.#\":{\(empty)}")),
      (
        "many axes",
        HostileFile.repeated("\"#\":{\"dtype\":\"U8\",\"shape\":[\(axes)],\"data_offsets\":[0,0]}")
      ),
      (
        "one shape",
        "\"a\":{\"dtype\":\"U8\",\"shape\":[\(HostileFile.repeated("0"))],\"data_offsets\":[0,0]}"
      ),
      ("metadata", "\"__metadata__\":{\(HostileFile.repeated("\"#\":\"\""))}"),
      ("one text", "\"__metadata__\":{\"a\":\"\(HostileFile.repeated("x", separator: ""))\"}"),
      ("one name", "\"\(HostileFile.repeated("x", separator: ""))\":{\(empty)}"),
      ("one name without data", "\"\(HostileFile.repeated("x", separator: ""))\":{\(scalar)}"),
      (
        "an unknown type",
        "\"a\":{\"dtype\":\"\(HostileFile.repeated("x", separator: ""))\",\"shape\":[0],\"data_offsets\":[0,0]}"
      ),
      (
        "no number",
        "\"a\":{\"dtype\":\"U8\",\"shape\":[[\(HostileFile.repeated("0"))]],\"data_offsets\":[0,0]}"
      ),
      ("members", "\"a\":{\(HostileFile.repeated("\"#\":0"))}"),
    ]
  }()

  @Test("safetensors", arguments: headers.indices)
  func safeTensors(_ number: Int) {
    let (name, text) = Self.headers[number]
    let bytes = safeTensorsFile("{\(text)}")
    let (peak, _) = HostileFile.peak(bytes) {
      _ = try SafeTensors(viewing: $0, owner: $1, origin: "x")
    }
    #expect(peak <= 4 * bytes.count + allowedExcess, "\(name): \(peak) for \(bytes.count)")
  }

  @Test("ten thousand tensors with long names and a metadata of two hundred texts")
  func publishedHeader() throws {
    let tensors = (0..<10_000).map {
      entry(
        "model.diffusion_model.output_blocks.\($0).1.transformer_blocks.0.attn2.to_out.0.weight",
        "F16", [2, 1], 4 * $0..<4 * $0 + 4)
    }
    let texts = (0..<200).map { "\"ss_\($0)\":\"\($0)\"" }.joined(separator: ",")
    let header = "{\"__metadata__\":{\(texts)},\(tensors.joined(separator: ","))}"
    let bytes = safeTensorsFile(header, data: [UInt8](repeating: 0, count: 40_000))
    let (peak, error) = HostileFile.peak(bytes) {
      let file = try SafeTensors(viewing: $0, owner: $1, origin: "x")
      #expect(file.entries.count == 10_000 && file.metadata.count == 200)
    }
    #expect(error == nil)
    // With room to spare: these are data of a few bytes where published ones have gigabytes.
    #expect(peak <= 3 * bytes.count)
  }

  @Test("an index of ten thousand names of missing files or tensors, and of metadata")
  func index() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      safeTensorsFile("{\(entry("0", "U8", [1], 0..<1))}", data: [0]), "m.safetensors")
    for text in [
      "{\"weight_map\":{\(HostileFile.repeated("\"#\":\"#\""))}}",
      "{\"weight_map\":{\(HostileFile.repeated("\"#\":\"m.safetensors\""))}}",
      "{\"weight_map\":{\"0\":\"m.safetensors\"},\"metadata\":{\(HostileFile.repeated("\"#\":0"))}}",
      "{\"weight_map\":{\"0\":[\(HostileFile.repeated("0"))]}}",
    ] {
      let path = try folder.write(text, "x.index.json")
      var message: String?
      let peak = peakAllocation {
        message = failure { () throws(CheckpointError) in _ = try ShardedSource(index: path) }
      }
      #expect(peak <= 4 * text.utf8.count + allowedExcess, "\(peak) for \(text.utf8.count)")
      #expect((message?.utf8.count ?? 0) < 2000 && message != nil)
    }
  }
}
