import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoTensors
import ItoTestSupport
import Testing

@testable import ItoPipelines

@Suite("Weights that stay in their files")
struct MappedWeightsTests {
  private static let files = [
    "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model",
  ]

  /// The file of a part with its tensors changed.
  private func rewrite(
    _ tiny: TinyStableDiffusion, _ file: String, _ change: (String, Tensor) -> Tensor
  ) throws {
    let path = "\(tiny.folder)/\(file).safetensors"
    let source = try SafeTensors(path: path, mapped: false)
    var tensors: [String: Tensor] = [:]
    for key in source.keys { tensors[key] = change(key, try source.tensor(key)) }
    try SafeTensors.write(tensors, to: path)
  }

  private let request = GenerationRequest(
    prompts: [Prompt("a red apple")], seed: 1, steps: 2,
    guidance: ComponentChoice("cfg", options: ["scale": 3]))

  @Test(
    "half precision draws the picture of the same values in float32, to rounding",
    arguments: [DType.bfloat16, .float16], [false, true])
  func halfPrecision(_ type: DType, isStreamed: Bool) throws {
    let tiny = try TinyStableDiffusion()
    let options = LoadingOptions(precision: .float32, isStreamed: isStreamed)
    func picture() throws -> Tensor {
      try ImageGenerator(tiny.folder, options: options).generateTensor(request)
    }
    for file in Self.files { try rewrite(tiny, file) { $1.cast(to: type) } }
    let half = try picture()
    for file in Self.files { try rewrite(tiny, file) { $1.cast(to: .float32) } }
    let wide = try picture()
    #expect(relativeRMSError(half, wide) <= 1e-5)
  }

  @Test(
    "a weight that is not finite is named with its file and place",
    arguments: [
      (0, "mid_block.resnets.0.conv1.weight"), (0, "time_embedding.linear_1.weight"),
      (1, "decoder.conv_in.weight"),
      (2, "text_model.encoder.layers.0.self_attn.q_proj.weight"), (0, "conv_in.bias"),
    ], [false, true])
  func damage(_ place: (file: Int, name: String), isStreamed: Bool) throws {
    let tiny = try TinyStableDiffusion()
    let file = Self.files[place.file]
    var isFound = false
    try rewrite(tiny, file) { name, tensor in
      guard name == place.name else { return tensor }
      isFound = true
      var damaged = tensor.cast(to: .float32)
      damaged.update { $0[1] = .infinity }
      return damaged
    }
    #expect(isFound)
    let error = #expect(throws: PipelineError.self) {
      try ImageGenerator(tiny.folder, options: LoadingOptions(isStreamed: isStreamed))
        .generateTensor(request)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("\(tiny.folder)/\(file).safetensors"), "\(text)")
    #expect(text.contains("\(place.name) at ["), "\(text)")
  }
}
