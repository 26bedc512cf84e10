import Foundation
import ItoCheckpoints
import ItoComponents
import ItoModels
import ItoTensors
import Testing

@testable import ItoPipelines

@Suite("Conversion of models")
struct ModelConversionTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "ito-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/single_file/\(name)").path
  }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func equal(_ a: any TensorSource, _ b: any TensorSource, _ keys: Set<String>) throws {
    for key in keys {
      let (x, y) = (try a.tensor(key), try b.tensor(key))
      #expect(x.shape == y.shape && x.dtype == y.dtype && x.scalars == y.scalars, "\(key)")
    }
  }

  @Test(
    "A file made into a folder and back is the file, but for what training left in it",
    arguments: ["sd1", "sd2", "sdxl"])
  func thereAndBack(_ family: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let there = try ModelConversion(from: fixture("\(family).safetensors"), to: path("a")).run()
    #expect(there.lacking == (family == "sdxl" ? ["tokenizer", "tokenizer_2"] : ["tokenizer"]))
    var back = ModelConversion(from: path("a"), to: path("b.safetensors"))
    back.family = SingleFileFamily.named(family)
    _ = try back.run()
    let first = try SafeTensors(path: fixture("\(family).safetensors"))
    let second = try SafeTensors(path: path("b.safetensors"))
    let training = first.keys.filter {
      $0 == "betas" || $0.hasPrefix("model_ema.") || $0.hasSuffix("position_ids")
    }
    #expect(second.keys == first.keys.subtracting(training))
    try equal(first, second, second.keys)
    // The file keeps the configurations of its parts.
    let inferred = try SingleFileCheckpoint(first), kept = try SingleFileCheckpoint(second)
    for (name, part) in inferred.parts {
      #expect(kept.parts[name]?.configuration == part.configuration, "\(name)")
    }
    #expect(kept.scheduler == inferred.scheduler && kept.index == inferred.index)
    // The folder's parts are those of the published model.
    let published = try SafeTensors(path: fixture("\(family).published.safetensors"))
    var found: Set<String> = []
    for name in kept.parts.keys {
      let part = try Checkpoint.open(path("a/\(name)"))
      for key in part.keys {
        let full = "\(name).\(key)"
        found.insert(full)
        #expect(try part.tensor(key).scalars == published.tensor(full).scalars, "\(full)")
      }
    }
    #expect(found == published.keys)
  }

  @Test("Formats and element types", arguments: ["sd1.ckpt", "sd1.gguf", "sd1.safetensors"])
  func types(_ name: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var conversion = ModelConversion(from: fixture(name), to: path("x.safetensors"))
    conversion.dtype = .bfloat16
    _ = try conversion.run()
    let source = try Checkpoint.open(fixture(name)),
      result = try SafeTensors(path: path("x.safetensors"))
    #expect(result.keys == source.keys)
    for key in source.keys {
      let expected = try source.tensor(key)
      let type: DType = expected.dtype.isFloatingPoint ? .bfloat16 : expected.dtype
      let found = try result.tensor(key)
      #expect(found.dtype == type && found.scalars == expected.cast(to: type).scalars, "\(key)")
    }
    // It exists now, and is replaced only when that is asked for.
    #expect(throws: PipelineError.self) { try conversion.run() }
    conversion.replaces = true
    _ = try conversion.run()
  }

  @Test("What cannot be converted leaves nothing behind")
  func failures() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    func reason(_ conversion: ModelConversion) -> String {
      do { _ = try conversion.run() } catch { return error.description }
      return "no error"
    }
    let vae = ["decoder.conv_in.weight": Tensor(zeros: [1])]
    try SafeTensors.write(vae, to: path("other.safetensors"))
    #expect(
      reason(ModelConversion(from: path("other.safetensors"), to: path("x"))).contains(
        "no known family"))
    #expect(reason(ModelConversion(from: path("none"), to: path("x"))).contains("cannot open"))
    _ = try ModelConversion(from: fixture("sd1.safetensors"), to: path("a")).run()
    try FileManager.default.removeItem(atPath: path("a/vae"))
    #expect(reason(ModelConversion(from: path("a"), to: path("b"))).contains("cannot open"))
    #expect(
      !reason(ModelConversion(from: path("a"), to: path("b.safetensors"))).contains("no error"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names) == ["other.safetensors", "a"])
  }
}
