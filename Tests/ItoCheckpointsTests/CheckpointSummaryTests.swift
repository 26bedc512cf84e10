import Foundation
import ItoComponents
import ItoTensors
import Testing

@testable import ItoCheckpoints

@Suite("Summaries")
struct CheckpointSummaryTests {
  let folder: TemporaryFolder
  let tensors: [String: Tensor] = [
    "conv.weight": Tensor(zeros: [32, 16, 3, 3]),
    "conv.bias": Tensor(zeros: [32], dtype: .bfloat16),
    "steps": Tensor([1] as [Int64], shape: []),
  ]

  init() throws { folder = try TemporaryFolder() }

  @Test func ofAFile() throws {
    let path = folder.file("x.safetensors")
    try SafeTensors.write(tensors, metadata: ["format": "pt", "bad": "\u{1B}[2J"], to: path)
    let summary = try CheckpointSummary(path: path)
    #expect(summary.format == "safetensors")
    #expect(summary.scalarCount == 4641)
    #expect(summary.byteCount == 18504)
    #expect(summary.types.map(\.type) == ["F32", "BF16", "I64"])
    #expect(summary.types[0].scalars == 4608)
    #expect(
      summary.text() == """
        \(path)
          format      safetensors
          parameters  4,641 in 3 tensors
          size        18.5 kB
          type        F32  4,608 in 1 tensors
          type        BF16  32 in 1 tensors
          type        I64  1 in 1 tensors
          metadata    bad = ?[2J
          metadata    format = pt

        steps        I64   []
        conv.weight  F32   [32, 16, 3, 3]
        conv.bias    BF16  [32]
        """)
    #expect(!summary.text(listsTensors: false).contains("conv.bias"))
    let json = summary.json
    #expect(json["parameters"]?.int == 4641)
    #expect(json["tensors"]?[1]?["shape"]?[3]?.int == 3)
    #expect(json["metadata"]?["format"]?.string == "pt")
    #expect(try JSONValue.parse(json.text()) == json)
  }

  @Test func ofAModelsFolder() throws {
    try SafeTensors.write(tensors, to: folder.file("diffusion_pytorch_model.safetensors"))
    try folder.write(
      #"{"_class_name": "UNet2DModel", "lr": -Infinity, "layers": 2}"#, "config.json")
    let summary = try CheckpointSummary(path: folder.path)
    #expect(summary.className == "UNet2DModel")
    #expect(summary.tensors.count == 3)
    #expect(summary.configuration?["layers"]?.int == 2)
    #expect(summary.text().contains("class       UNet2DModel"))
  }

  @Test(
    "configurations",
    arguments: [
      (#"{"_class_name": "DDIMScheduler"}"#, "DDIMScheduler"),
      (#"{"architectures": ["CLIPTextModel"], "model_type": "clip"}"#, "CLIPTextModel"),
      (#"{"tokenizer_class": "CLIPTokenizer"}"#, "CLIPTokenizer"),
      (#"{"model_type": "clip"}"#, "clip"),
      ("{}", nil),
    ] as [(String, String?)])
  func configurations(_ text: String, _ name: String?) throws {
    let path = try folder.write(text, "scheduler_config.json")
    for path in [path, folder.path] {
      let summary = try CheckpointSummary(path: path)
      #expect(summary.className == name)
      #expect(summary.format == "configuration")
    }
  }

  @Test func ofAPipeline() throws {
    try folder.write(
      """
      {"_class_name": "DDPMPipeline", "unet": ["diffusers", "UNet2DModel"],
       "scheduler": ["diffusers", "DDPMScheduler"], "safety_checker": [null, null],
       "vae": ["diffusers", "AutoencoderKL"], "self": ["x", "Loop"], "../up": ["x", "Out"]}
      """, "model_index.json")
    try folder.write(#"{"_class_name": "UNet2DModel"}"#, "unet/config.json")
    try SafeTensors.write(tensors, to: folder.file("unet/diffusion_pytorch_model.safetensors"))
    try folder.write(#"{"_class_name": "DDPMScheduler"}"#, "scheduler/scheduler_config.json")
    #expect(symlink(".", folder.file("self")) == 0)
    let summary = try CheckpointSummary(path: folder.path)
    #expect(summary.format == "pipeline")
    #expect(summary.className == "DDPMPipeline")
    #expect(summary.components.map(\.name) == ["unet", "scheduler", "vae", "self", "../up"])
    #expect(summary.components[0].summary?.scalarCount == 4641)
    #expect(summary.components[1].summary?.className == "DDPMScheduler")
    #expect(summary.components[2].problem == "its folder is missing")
    #expect(summary.components[3].problem != nil)
    #expect(summary.components[4].problem == "its folder is missing")
    #expect(summary.text().contains("unet"))
    #expect(summary.json["components"]?[0]?["summary"]?["class"]?.string == "UNet2DModel")
  }

  @Test func damageIsReported() throws {
    let path = try folder.write("{", "config.json")
    #expect(throws: CheckpointError.self) { try CheckpointSummary(path: path) }
    #expect(throws: CheckpointError.self) { try CheckpointSummary(path: folder.file("none")) }
    let empty = try TemporaryFolder()
    let text = failure { () throws(CheckpointError) in _ = try CheckpointSummary(path: empty.path) }
    #expect(text?.contains("neither a checkpoint nor a configuration") == true)
  }
}
