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
  static let available = present([
    "dit", "unet_uncond_ddpm", "unet_class_cond_adm", "unet_sd15", "unet_sd21_linear_proj",
    "unet_sdxl", "unet_lcm_guidance_embed",
  ])

  private static func present(_ names: [String]) -> [String] {
    names.filter { (try? readFile("\(goldens)/\($0)/config.json")) != nil }
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
    func given(_ name: String) throws -> Tensor? {
      io.keys.contains("in.\(name)") ? try io.tensor("in.\(name)") : nil
    }
    var conditioning = Conditioning(
      tokens: try given("encoder_hidden_states"),
      pooled: try given("added_cond_kwargs.text_embeds"), label: try given("class_labels"))
    conditioning[ImageSizes.self] = try given("added_cond_kwargs.time_ids")
    conditioning[GuidanceEmbedding.self] = try given("timestep_cond")
    let time = try io.tensor("in.timestep").cast(to: .float32)
    let expected = try io.tensor("out.sample").permuted([0, 2, 3, 1])
    let y = network(x, time: time, conditioning: conditioning, context: EvaluationContext())
    #expect(y.shape == expected.shape)
    #expect(relativeRMSError(y, expected) <= 2e-5)
    let half = network.converted(to: .bfloat16)(
      x, time: time, conditioning: conditioning, context: EvaluationContext())
    #expect(relativeRMSError(half.cast(to: .float32), expected) <= 3e-2)
  }
  @Test(
    "text encoders, float32 and bfloat16",
    arguments: present(["clip_text_gelu", "clip_text_quick_gelu"]))
  func text(_ name: String) throws {
    let (json, weights, io) = try files(name)
    var initial = ParameterInitializer.placeholder
    var encoder = try CLIPTextEncoder(configuration: json, &initial)
    try encoder.load(
      from: weights, keys: CLIPTextEncoder.keyMap(for: weights.keys), checksFinite: true)
    let ids = try io.tensor("in.input_ids")
    for (network, bound) in [(encoder, 2e-5), (encoder.converted(to: .bfloat16), 3e-2)] {
      let last = network(ids: ids), inner = network(ids: ids, skip: 1, normalised: false)
      let projected = try #require(last.projected)
      for (ours, key) in [
        (last.hidden, "last_hidden_state"), (inner.hidden, "penultimate"),
        (projected, "text_embeds"),
      ] {
        let expected = try io.tensor("out.\(key)")
        #expect(ours.shape == expected.shape)
        #expect(relativeRMSError(ours.cast(to: .float32), expected) <= bound, "\(key)")
      }
    }
  }

  @Test(
    "autoencoders, float32 and bfloat16",
    arguments: present(["vae_sd", "vae_flux_no_quant_conv", "taesd"]))
  func autoencoder(_ name: String) throws {
    let (json, weights, io) = try files(name)
    let x = try io.tensor("in.x").permuted([0, 2, 3, 1])
    let z = try io.tensor("in.z").permuted([0, 2, 3, 1])
    func compare(_ bound: Double, _ latent: Tensor, _ decoded: Tensor) throws {
      for (ours, key) in [(latent, "latent"), (decoded, "decoded")] {
        let expected = try io.tensor("out.\(key)").permuted([0, 2, 3, 1])
        #expect(ours.shape == expected.shape)
        #expect(relativeRMSError(ours.cast(to: .float32), expected) <= bound, "\(key)")
      }
    }
    var initial = ParameterInitializer.placeholder
    if name == "taesd" {
      var tiny = try AutoencoderTiny(configuration: json, &initial)
      try tiny.load(from: weights)
      try compare(2e-5, tiny.encode(x), tiny.decode(z))
      let half = tiny.converted(to: .bfloat16)
      try compare(3e-2, half.encode(x), half.decode(z))
    } else {
      var vae = try AutoencoderKL(configuration: json, &initial)
      try vae.load(from: weights)
      try compare(2e-5, vae.encode(x).mean, vae.decode(z))
      let half = vae.converted(to: .bfloat16)
      try compare(3e-2, half.encode(x).mean, half.decode(z))
    }
  }

  private func files(_ name: String) throws -> (JSONValue, SafeTensors, SafeTensors) {
    let folder = "\(goldens)/\(name)"
    return (
      try JSONValue.parse(readFile("\(folder)/config.json"), options: .python),
      try SafeTensors(path: folder + "/weights.safetensors"),
      try SafeTensors(path: folder + "/io.safetensors")
    )
  }
}
