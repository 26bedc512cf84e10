import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModules
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoModels

/// The goldens made by the reference implementation, beside the repository where there are any.
private let goldens: String = {
  let parts = #filePath.split(separator: "/").dropLast(3)
  return "/" + parts.dropLast().joined(separator: "/") + "/shared/reference/fixtures"
}()

@Suite("Networks against goldens")
struct GoldenTests {
  static let available: [String] = ["dit", "unet_uncond_ddpm", "unet_class_cond_adm"].filter {
    (try? readFile("\(goldens)/\($0)/config.json")) != nil
  }

  @Test("float32 within 2e-5, bfloat16 within 3e-2 relative RMS", arguments: available)
  func golden(_ name: String) throws {
    let folder = "\(goldens)/\(name)"
    let json = try JSONValue.parse(readFile("\(folder)/config.json"), options: .python)
    var initial = ParameterInitializer.placeholder
    try check(try BackboneFamily.make(json, &initial), folder)
  }

  private func check<B: RegisteredBackbone>(_ fresh: B, _ folder: String) throws {
    var network = fresh
    try network.load(from: SafeTensors(path: folder + "/weights.safetensors"), checksFinite: true)
    let io = try SafeTensors(path: folder + "/io.safetensors")
    let input = io.keys.contains("in.sample") ? "in.sample" : "in.hidden_states"
    let x = try io.tensor(input).permuted([0, 2, 3, 1])
    let conditioning = Conditioning(
      label: io.keys.contains("in.class_labels") ? try io.tensor("in.class_labels") : nil)
    let time = try io.tensor("in.timestep").cast(to: .float32)
    let expected = try io.tensor("out.sample").permuted([0, 2, 3, 1])
    let y = network(x, time: time, conditioning: conditioning, context: EvaluationContext())
    #expect(y.shape == expected.shape)
    #expect(relativeRMSError(y, expected) <= 2e-5)
    let half = network.converted(to: .bfloat16)(
      x, time: time, conditioning: conditioning, context: EvaluationContext())
    #expect(relativeRMSError(half.cast(to: .float32), expected) <= 3e-2)
  }
}
