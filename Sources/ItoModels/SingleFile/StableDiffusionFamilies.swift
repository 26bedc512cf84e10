import ItoCheckpoints
import ItoComponents

// Stable Diffusion 1.x, 2.x and XL: their parts, where a single file keeps them, and the schedule
// they were trained with.
//
// Source: the `v1-inference.yaml`, `v2-inference-v.yaml`, `sd_xl_base.yaml` and `sd_xl_refiner.yaml`
// of Stability AI's repositories; diffusers, `single_file_utils.py`.

extension SingleFileFamily {
  /// Stable Diffusion 1.1 to 1.5 and what was trained from them.
  public static let stableDiffusion1 = SingleFileFamily(
    title: "Stable Diffusion 1.x", name: "sd1", pipeline: "StableDiffusionPipeline",
    parts: [
      unet, autoencoder(scale: 0.18215, size: 512),
      text("text_encoder", "cond_stage_model.transformer.", .clipText, act: "quick_gelu"),
    ],
    tokenizers: ["tokenizer"], scheduler: { betas($0, "PNDMScheduler", ["skip_prk_steps": true]) },
    contextWidth: 768, marks: ["cond_stage_model.transformer"])

  /// Stable Diffusion 2.0 and 2.1, in 512² (noise) and 768² (velocity).
  public static let stableDiffusion2 = SingleFileFamily(
    title: "Stable Diffusion 2.x", name: "sd2", pipeline: "StableDiffusionPipeline",
    parts: [
      unet, autoencoder(scale: 0.18215, size: 768),
      text(
        "text_encoder", "cond_stage_model.model.", .openCLIPText(usesPenultimate: true),
        act: "gelu"),
    ],
    tokenizers: ["tokenizer"],
    scheduler: { betas($0, "DDIMScheduler", ["clip_sample": false, "set_alpha_to_one": false]) },
    contextWidth: 1024, marks: ["cond_stage_model.model"])

  /// Stable Diffusion XL, base.
  public static let stableDiffusionXL = SingleFileFamily(
    title: "Stable Diffusion XL", name: "sdxl", pipeline: "StableDiffusionXLPipeline",
    parts: [
      unet, autoencoder(scale: 0.13025, size: 1024),
      text("text_encoder", "conditioner.embedders.0.transformer.", .clipText, act: "quick_gelu"),
      text(
        "text_encoder_2", "conditioner.embedders.1.model.", .openCLIPText(usesPenultimate: false),
        act: "gelu", isProjected: true),
    ],
    tokenizers: ["tokenizer", "tokenizer_2"],
    scheduler: { betas($0, "EulerDiscreteScheduler", ["interpolation_type": "linear"]) },
    contextWidth: 2048,
    marks: ["conditioner.embedders.0.transformer", "conditioner.embedders.1.model"])

  /// Stable Diffusion XL, refiner.
  public static let stableDiffusionXLRefiner = SingleFileFamily(
    title: "Stable Diffusion XL refiner", name: "sdxl-refiner",
    pipeline: "StableDiffusionXLImg2ImgPipeline",
    parts: [
      unet, autoencoder(scale: 0.13025, size: 1024),
      text(
        "text_encoder_2", "conditioner.embedders.0.model.", .openCLIPText(usesPenultimate: false),
        act: "gelu", isProjected: true),
    ],
    tokenizers: ["tokenizer_2"],
    scheduler: { betas($0, "EulerDiscreteScheduler", ["interpolation_type": "linear"]) },
    contextWidth: 1280, marks: ["conditioner.embedders.0.model"])

  private static let unet = Part(
    name: "unet", className: "UNet2DConditionModel", prefix: "model.diffusion_model.",
    naming: .unet, configuration: InferredConfiguration.unet)

  private static func autoencoder(scale: Double, size: Int) -> Part {
    Part(
      name: "vae", className: "AutoencoderKL", prefix: "first_stage_model.", naming: .autoencoder,
      configuration: { InferredConfiguration.autoencoder($0, scale: scale, size: size) })
  }

  private static func text(
    _ name: String, _ prefix: String, _ naming: PartNaming, act: String, isProjected: Bool = false
  ) -> Part {
    Part(
      name: name, className: isProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel",
      prefix: prefix, naming: naming,
      configuration: {
        InferredConfiguration.text($0, activation: act, isProjected: isProjected)
      })
  }

  /// 1000 steps with square roots of β evenly spaced from √0.00085 to √0.012, as all of them have.
  private static func betas(
    _ facts: SingleFileFacts, _ className: String, _ more: JSONObject
  ) -> JSONObject {
    var object: JSONObject = [
      "_class_name": .string(className), "num_train_timesteps": 1000, "beta_start": 0.00085,
      "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1,
      "timestep_spacing": "leading", "prediction_type": .string(facts.prediction),
    ]
    for (key, value) in more { object[key] = value }
    if facts.hasZeroTerminalSNR {
      object["rescale_betas_zero_snr"] = true
      object["timestep_spacing"] = "trailing"
    }
    return object
  }
}
