import ItoImages
import ItoTensors
import Testing

@testable import ItoPipelines

@Suite("What pictures tell of how they were made")
struct PictureRecipeTests {
  @Test("stable-diffusion-webui, with quotes, adapters and settings that have no counterpart")
  func webUI() throws {
    let text = """
      a (red:1.2) apple, <lora:shiny:0.7> on a table,
      two lines <lyco:other>
      Negative prompt: blurry,
      low quality
      Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 123, Size: 512x768, \
      Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.55, Clip skip: 2, \
      RNG: CPU, Lora hashes: "shiny: abcdef, other: \\"x\\"", Hires upscale: 2, Version: v1.10.1
      """
    let recipe = try #require(PictureRecipe(["parameters": text]))
    #expect(recipe.tool == "stable-diffusion-webui")
    #expect(recipe.prompt == "a (red:1.2) apple,  on a table,\ntwo lines ")
    #expect(recipe.negative == "blurry,\nlow quality")
    #expect(recipe.grammar == "a1111" && recipe.steps == 20 && recipe.sampler == "DPM++ 2M")
    #expect(recipe.schedule == "Karras" && recipe.guidanceScale == 7 && recipe.seed == 123)
    #expect(recipe.width == 512 && recipe.height == 768)
    #expect(recipe.model == "v1-5-pruned-emaonly" && recipe.modelHash == "6ce0161689")
    #expect(recipe.strength == 0.55 && recipe.clipSkip == 2 && recipe.engine == .torch)
    #expect(
      recipe.adapters == [.init(name: "shiny", strength: 0.7), .init(name: "other", strength: 1)])
    #expect(
      recipe.others == [
        .init(key: "Lora hashes", value: "shiny: abcdef, other: \"x\""),
        .init(key: "Hires upscale", value: "2"),
      ])
  }

  @Test("an older file names the spacing with the method; the noise is the GPU's")
  func older() throws {
    let recipe = try #require(
      PictureRecipe([
        "parameters": "cat\nSteps: 30, Sampler: DPM++ 2M Karras, CFG scale: 5, Seed: 1"
      ])
    )
    #expect(recipe.sampler == "DPM++ 2M" && recipe.schedule == "Karras")
    #expect(recipe.engine == .cuda && recipe.negative.isEmpty)
  }

  @Test("a last line with fewer than three settings is part of the prompt")
  func noSettings() {
    let text = ParameterText(parsing: "a cat\nSteps: 20, Seed: 1")
    #expect(text.prompt == "a cat\nSteps: 20, Seed: 1" && text.settings.isEmpty)
    #expect(PictureRecipe(["parameters": "just words"]) == nil)
    #expect(PictureRecipe(ImageMetadata()) == nil)
  }

  @Test("stable-diffusion.cpp writes the same text")
  func stableDiffusionCpp() throws {
    let recipe = try #require(
      PictureRecipe([
        "parameters":
          "a lake\nNegative prompt: fog\nSteps: 8, CFG scale: 1.500000, Guidance: 3.500000, Seed: 42, "
          + "Size: 512x512, Model: sd-turbo.gguf, RNG: cuda, Sampler: euler_a karras, "
          + "Version: stable-diffusion.cpp"
      ]))
    #expect(recipe.tool == "stable-diffusion.cpp" && recipe.guidanceScale == 1.5)
    #expect(recipe.guidance == nil && recipe.engine == .cuda)
    #expect(recipe.others.contains(.init(key: "Guidance", value: "3.500000")))
  }

  @Test("InvokeAI")
  func invokeAI() throws {
    let json = """
      {"positive_prompt": "a fox", "negative_prompt": "", "seed": 99, "rand_device": "cpu", "steps": 25,
      "cfg_scale": 6.5, "scheduler": "dpmpp_2m_k", "width": 640, "height": 512, "clip_skip": 1,
      "model": {"name": "dreamy", "hash": "blake3:00"}, "cfg_rescale_multiplier": 0.5,
      "loras": [{"model": {"name": "ink"}, "weight": 0.25}], "app_version": "5.0", "seamless_x": false}
      """
    let recipe = try #require(PictureRecipe(["invokeai_metadata": json]))
    #expect(recipe.tool == "InvokeAI" && recipe.prompt == "a fox" && recipe.seed == 99)
    #expect(recipe.sampler == "dpmpp_2m" && recipe.schedule == "Karras" && recipe.engine == .torch)
    #expect(recipe.width == 640 && recipe.height == 512 && recipe.clipSkip == 2)
    #expect(recipe.model == "dreamy" && recipe.guidanceScale == 6.5)
    #expect(recipe.adapters == [.init(name: "ink", strength: 0.25)])
    #expect(recipe.others == [.init(key: "cfg_rescale_multiplier", value: "0.5")])
  }

  @Test("ComfyUI: texts, size, adapters and model are found by following the graph")
  func comfyUI() throws {
    let json = """
      {"3": {"class_type": "KSampler", "inputs": {"seed": 156680208700286, "steps": 20, "cfg": 8,
      "sampler_name": "euler", "scheduler": "normal", "denoise": 1, "model": ["10", 0],
      "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
      "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd/v1-5.safetensors"}},
      "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 256, "batch_size": 1}},
      "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["20", 0], "clip": ["10", 1]}},
      "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["10", 1]}},
      "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "ink.safetensors",
      "strength_model": 0.8, "strength_clip": 1, "model": ["4", 0], "clip": ["4", 1]}},
      "20": {"class_type": "PrimitiveString", "inputs": {"value": "a glass bottle"}},
      "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}}}
      """
    let recipe = try #require(PictureRecipe(["prompt": json]))
    #expect(recipe.tool == "ComfyUI" && recipe.prompt == "a glass bottle")
    #expect(recipe.negative == "text, watermark" && recipe.seed == 156_680_208_700_286)
    #expect(recipe.steps == 20 && recipe.guidanceScale == 8 && recipe.sampler == "euler")
    #expect(recipe.schedule == "normal" && recipe.width == 512 && recipe.height == 256)
    #expect(recipe.model == "v1-5" && recipe.strength == nil && recipe.grammar == "comfy")
    #expect(recipe.adapters == [.init(name: "ink", strength: 0.8)])
    #expect(recipe.others == [.init(key: "node", value: "PrimitiveString")])
    // A graph that loops is not followed for ever.
    #expect(
      PictureRecipe([
        "prompt": """
        {"1": {"class_type": "KSampler", "inputs": {"model": ["2", 0], "positive": ["2", 0]}},
        "2": {"class_type": "X", "inputs": {"model": ["2", 0], "conditioning": ["2", 0]}}}
        """
      ]) != nil)
  }

  @Test("texts survive writing and reading")
  func roundTrip() {
    let text = ParameterText(
      prompt: "a cat,\nin two lines", negative: "dog",
      settings: [
        .init(key: "Steps", value: "4"), .init(key: "Sampler", value: "ddim:eta=0.5"),
        .init(key: "Seed", value: "1"), .init(key: "Note", value: "a \"b\", c\\d\ne"),
      ])
    #expect(ParameterText(parsing: text.text) == text)
  }

  @Test("damaged notes are read as far as they go")
  func fuzz() {
    var generator = SeededGenerator(seed: 5)
    let seeds = [
      "cat\nNegative prompt: dog\nSteps: 20, Sampler: \"a\\\"b\", CFG scale: 7, Seed: 1, Size: 8x8",
      "{\"1\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":1,\"model\":[\"1\",0]}}}",
      "{\"positive_prompt\":\"a\",\"seed\":1,\"loras\":[{\"model\":{\"name\":\"x\"}}]}",
    ]
    for round in 0..<20_000 {
      var bytes = Array(seeds[round % 3].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        if Bool.random(using: &generator) {
          bytes[at] = UInt8.random(in: 0...255, using: &generator)
        } else {
          bytes.remove(at: at)
        }
        if bytes.isEmpty { break }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      for key in ["parameters", "prompt", "invokeai_metadata"] {
        _ = PictureRecipe(ImageMetadata([.init(key: key, text: text)]))
      }
    }
  }
}
