import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors
import ItoTokenizers

extension ModelFamily {
  /// Stable Diffusion 1.x and 2.x and what was trained from them, as folders of a model hub.
  static let stableDiffusion = ModelFamily(
    name: "Stable Diffusion",
    recognises: {
      [
        "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline", "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline",
      ].contains($0.className)
    },
    make: { source, options throws(PipelineError) in
      try StableDiffusionLoader(source, options, steps: 50, guidance: 7.5).generator()
    })

  /// Stable Diffusion XL, base and refiner.
  static let stableDiffusionXL = ModelFamily(
    name: "Stable Diffusion XL",
    recognises: {
      [
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
      ].contains($0.className)
    },
    make: { source, options throws(PipelineError) in
      var loader = try StableDiffusionLoader(source, options, steps: 50, guidance: 5)
      loader.usesSizes()
      return try loader.generator()
    })
}

/// Puts a generator together from the parts of a Stable Diffusion of any kind.
private struct StableDiffusionLoader {
  let source: ModelSource
  let options: LoadingOptions
  let precision: DType
  let network: JSONValue
  var convention = CLIPPrompts.Convention()
  var preview = LinearPreview.stableDiffusion
  var defaults: GenerationDefaults
  let sampler: SamplerConfiguration
  let layout: LatentLayout

  init(
    _ source: ModelSource, _ options: LoadingOptions, steps: Int, guidance: Double
  ) throws(PipelineError) {
    self.source = source
    self.options = options
    precision = options.precision ?? .float32
    network = try source.component("unet").configuration()
    let codec = try source.component("vae").configuration()
    let scheduler = try source.component("scheduler").configuration()
    sampler = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
      try SamplerConfiguration(diffusers: scheduler)
    }
    layout = LatentLayout(autoencoder: codec)
    convention.guidanceFeatures = network["time_cond_proj_dim"]?.int
    let sides = network["sample_size"]?.array?.prefix(2).compactMap(\.int) ?? []
    let side = network["sample_size"]?.int ?? 64
    let few = FewSteps(scheduler: scheduler, hasGuidanceInput: convention.guidanceFeatures != nil)
    defaults = GenerationDefaults(
      height: layout.factor * (sides.first ?? side), width: layout.factor * (sides.last ?? side),
      steps: few?.steps ?? steps, solver: FewSteps.solverName(scheduler),
      guidance: few?.guidance ?? ComponentChoice("cfg", options: ["scale": .double(guidance)]))
  }

  /// The conventions of SDXL.
  mutating func usesSizes() {
    convention.skippedLayers = 1
    convention.isNormalised = false
    convention.isPooled = true
    convention.zeroesMissingNegative =
      source.index?["force_zeros_for_empty_prompt"]?.bool ?? true
    convention.sizes =
      source.index?["requires_aesthetics_score"]?.bool == true ? .aestheticScore : .target
    preview = .stableDiffusionXL
  }

  func generator() throws(PipelineError) -> ImageGenerator {
    let isResident = !options.isStreamed
    let loader = self
    var generator = ImageGenerator(
      name: source.name,
      prompts: try Stage(resident: isResident && !options.drawsOnce) {
        (opened) throws(PipelineError) in
        try loader.prompts(&opened)
      },
      denoiser: try Stage(resident: isResident, once: options.drawsOnce) {
        (opened) throws(PipelineError) in
        try loader.denoiser(&opened)
      },
      codec: try Stage(resident: isResident) { (opened) throws(PipelineError) in
        let component = try loader.source.component("vae")
        return try AutoencoderCodec.load(
          component, precision: loader.precision, savesMemory: loader.options.isStreamed
        ) { () throws(PipelineError) in try loader.options.weights(of: component, &opened) }
      },
      layout: layout, sampler: sampler, defaults: defaults)
    generator.adapters = options.adapters.map { .init(name: $0.name, strength: $0.strength) }
    generator.preview = preview
    generator.takesText = true
    generator.takesGuidanceScale = convention.guidanceFeatures != nil
    generator.takesMaskedPicture = network["in_channels"]?.int == 2 * layout.channels + 1
    return generator
  }

  private func prompts(
    _ opened: inout [any TensorSource]
  ) throws(PipelineError) -> any PromptEncoder {
    var parts: [CLIPPrompts.Part] = []
    for (encoder, tokenizer) in [
      ("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2"),
    ] where source.components[encoder] != nil {
      let component = try source.component(encoder)
      let folder = try source.component(tokenizer).path
      var part = CLIPPrompts.Part(
        tokenizer: try wrapping(PipelineError.tokenizer) { () throws(TokenizerError) in
          try CLIPTokenizer(folder: folder)
        }, encoder: try textEncoder(component, &opened))
      for file in options.embeddings {
        let word = try wrapping(PipelineError.checkpoint) { () throws(CheckpointError) in
          try TextualInversion(path: file)
        }
        try part.learn(word, as: encoder)
      }
      parts.append(part)
    }
    guard !parts.isEmpty else {
      throw .manifest(
        file: source.path + "/model_index.json", key: "text_encoder", reason: "is missing")
    }
    return CLIPPrompts(parts: parts, convention: convention)
  }

  private func textEncoder(
    _ component: ModelComponent, _ opened: inout [any TensorSource]
  ) throws(PipelineError) -> CLIPTextEncoder {
    var json = try component.configuration()
    if json["_class_name"] == nil, json["architectures"] == nil, let name = component.className,
      var object = json.object
    {
      object["_class_name"] = .string(name)
      json = .object(object)
    }
    var initial = ParameterInitializer.placeholder
    let network = try wrapping(PipelineError.model) { () throws(ModelError) in
      try CLIPTextEncoder(configuration: json, &initial)
    }
    let weights = try options.weights(of: component, &opened)
    let loaded = try loadWeights(
      network, from: weights, keys: CLIPTextEncoder.keyMap(for: weights.keys), dtype: precision,
      unused: .allow(CLIPTextEncoder.isIgnored))
    return try options.adapting(
      loaded, part: component.name, names: AdapterNames(loaded), dtype: precision)
  }

  private func denoiser(
    _ opened: inout [any TensorSource]
  ) throws(PipelineError) -> any Denoiser {
    var initial = ParameterInitializer.placeholder
    let empty = try wrapping(PipelineError.model) { () throws(ModelError) in
      try BackboneFamily.make(self.network, &initial)
    }
    return try denoiser(empty, try options.weights(of: try source.component("unet"), &opened))
  }

  private func denoiser<B: RegisteredBackbone>(
    _ network: B, _ weights: any TensorSource
  ) throws(PipelineError) -> any Denoiser {
    let loaded = try loadWeights(network, from: weights, dtype: precision)
    let backbone = try options.adapting(
      loaded, part: "unet", names: AdapterNames(denoiser: loaded), dtype: precision)
    return PreconditionedDenoiser(
      PictureConditioned(base: backbone), schedule: sampler.schedule,
      parameterization: sampler.parameterization, computeType: precision)
  }
}
