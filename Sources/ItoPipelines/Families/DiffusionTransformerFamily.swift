import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors

extension ModelFamily {
  /// Diffusion transformers of classes, as folders of a model hub: DiT-XL/2 of ImageNet at 256 and 512 pixels.
  ///
  /// Prompts are classes by name or number. Source: Peebles & Xie 2023, arXiv:2212.09748.
  static let diffusionTransformer = ModelFamily(
    name: "DiT",
    recognises: { $0.className == "DiTPipeline" },
    make: { source, options throws(PipelineError) in
      let precision = options.precision ?? .float32
      let json = try source.component("transformer").configuration()
      let configuration = try wrapping(PipelineError.model) { () throws(ModelError) in
        try DiTConfiguration(json)
      }
      var layout = LatentLayout(autoencoder: try source.component("vae").configuration())
      layout.multiple = layout.factor * configuration.patchSize
      let scheduler = try source.component("scheduler").configuration()
      let sampler = try wrapping(PipelineError.sampling) { () throws(SamplingError) in
        try SamplerConfiguration(diffusers: scheduler)
      }
      let labels = labels(source.index?["id2label"], count: configuration.classes ?? 0)
      let side = layout.factor * configuration.sampleSize
      var generator = ImageGenerator(
        name: source.name,
        prompts: Stage(LabelPrompts(labels: labels)),
        denoiser: try Stage(resident: !options.isStreamed, once: options.drawsOnce) {
          (opened) throws(PipelineError) in
          try denoiser(source, configuration, sampler, options, precision, &opened)
        },
        codec: try Stage(resident: !options.isStreamed) { (opened) throws(PipelineError) in
          let component = try source.component("vae")
          return try AutoencoderCodec.load(
            component, precision: precision, savesMemory: options.isStreamed
          ) { () throws(PipelineError) in try options.weights(of: component, &opened) }
        },
        layout: layout, sampler: sampler,
        defaults: GenerationDefaults(
          height: side, width: side, steps: 50, solver: FewSteps.solverName(scheduler),
          guidance: ComponentChoice("cfg", options: ["scale": .double(4)]),
          labels: labels,
          examples: examples.filter { $0 < labels.count }.map { "\($0)" }))
      generator.preview = LinearPreview.stableDiffusion
      return generator
    })

  /// The classes that the authors' own sheet shows: golden retriever, otter, red panda, geyser, macaw, valley,
  /// balloon, arctic fox.
  private static let examples = [207, 360, 387, 974, 88, 979, 417, 279]

  /// The names in the order of their numbers; numbers alone where the folder has no names.
  private static func labels(_ names: JSONValue?, count: Int) -> [String] {
    (0..<count).map { names?["\($0)"]?.string ?? "\($0)" }
  }

  private static func denoiser(
    _ source: ModelSource, _ configuration: DiTConfiguration, _ sampler: SamplerConfiguration,
    _ options: LoadingOptions, _ precision: DType, _ opened: inout [any TensorSource]
  ) throws(PipelineError) -> any Denoiser {
    var initial = ParameterInitializer.placeholder
    let empty = DiT(configuration, &initial)
    let channels = configuration.inChannels
    guard configuration.outChannels == channels || configuration.outChannels == 2 * channels else {
      throw .model(
        .invalid(
          model: DiT.className, key: "out_channels", value: "\(configuration.outChannels)",
          expected: "in_channels (\(channels)), or twice that with a variance"))
    }
    let loaded = try loadWeights(
      empty, from: try options.weights(of: try source.component("transformer"), &opened),
      dtype: precision,
      unused: .allow { $0 == "pos_embed.pos_embed" })
    let backbone = try options.adapting(
      loaded, part: "unet", names: AdapterNames(denoiser: loaded), dtype: precision)
    return PreconditionedDenoiser(
      WithoutVariance(base: backbone), schedule: sampler.schedule,
      parameterization: sampler.parameterization, computeType: precision)
  }
}

/// A network that may also predict the variance of each step, which follows the noise along the channels
/// (Nichol & Dhariwal 2021, arXiv:2102.09672, section 3.1): the solvers here take the noise alone.
private struct WithoutVariance<Base: Backbone>: Backbone {
  var base: Base

  func callAsFunction(
    _ x: Tensor, time: Tensor, conditioning: Conditioning, context: EvaluationContext
  ) -> Tensor {
    let output = base(x, time: time, conditioning: conditioning, context: context)
    let channels = x.shape[x.shape.rank - 1]
    return output.shape[output.shape.rank - 1] == channels
      ? output : output.sliced(0..<channels, axis: -1)
  }

  mutating func visit<V: ModuleVisitor>(_ visitor: inout V) throws(V.Failure) {
    try base.visit(&visitor)
  }
}
