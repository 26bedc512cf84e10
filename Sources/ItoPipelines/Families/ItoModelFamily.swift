import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoTensors

extension ModelFamily {
  /// A folder that `ito train` wrote: `model.json` names every part.
  static let itoModel = ModelFamily(
    name: "Itô model folders",
    recognises: { $0.manifest != nil },
    make: { source, options throws(PipelineError) in
      let manifest = try ModelManifest(folder: source.path)
      guard manifest.task == .generate else {
        throw .request(
          "\(source.path) is a model for the task \"\(manifest.task.rawValue)\"; it does not draw")
      }
      return try generator(source, manifest, options)
    })

  private static func generator(
    _ source: ModelSource, _ manifest: ModelManifest, _ options: LoadingOptions
  ) throws(PipelineError) -> ImageGenerator {
    let parts = try wrapping(PipelineError.option) { () throws(OptionError) in
      (
        codec: try Registry<any LatentCodec>.builtin.make(
          manifest.codec.relative(to: source.path)),
        sampler: SamplerConfiguration(
          schedule: try Registry<any NoiseSchedule>.builtin.make(manifest.schedule),
          parameterization: try Registry<any Parameterization>.builtin.make(
            manifest.parameterization),
          spacing: try Registry<any StepSpacing>.builtin.make(manifest.spacing),
          solver: try Registry<any Solver>.builtin.make(manifest.solver), initialScale: .sigma)
      )
    }
    let codec: any LatentCodec
    if let folder = manifest.enlarger {
      codec = try EnlargingCodec(folder: source.path + "/" + folder)
    } else {
      codec = parts.codec
    }
    let latent = try codec.latentShape(
      height: manifest.height, width: manifest.width, channels: manifest.channels, count: 1)
    let precision = options.precision ?? .float32
    let labels = LabelPrompts(labels: manifest.labels)
    let folder = manifest.textEncoder.map { source.path + "/" + $0 }
    // As many pictures at a time as make the products of a small network large; more would only take memory.
    let batch = max(1, min(64, 8192 / (latent[1] * latent[2])))
    var generator = ImageGenerator(
      name: source.name,
      prompts: try Stage(resident: !options.isStreamed && !options.drawsOnce) {
        (_) throws(PipelineError) in
        guard let folder else { return labels }
        return TextPrompts(encoder: try TextEncoderFamily.load(folder: folder))
      },
      denoiser: try Stage(resident: !options.isStreamed, once: options.drawsOnce) {
        (_) throws(PipelineError) in
        let backbone = try loadNetwork(folder: source.path, manifest) {
          (json, initial) throws(ModelError) in try BackboneFamily.make(json, &initial)
        }
        return denoiser(backbone, parts.sampler, precision)
      },
      codec: Stage(codec),
      layout: LatentLayout(factor: manifest.height / latent[1], channels: latent[3]),
      sampler: parts.sampler,
      defaults: GenerationDefaults(
        height: manifest.height, width: manifest.width, channels: manifest.channels,
        steps: manifest.steps, solver: "\(manifest.solver)", spacing: "\(manifest.spacing)",
        guidance: manifest.guidance, batchSize: batch, labels: manifest.labels,
        examples: manifest.examples))
    generator.takesText = folder != nil
    return generator
  }

  /// `backbone` computing in `precision`, with the process it was trained for.
  static func denoiser<B: RegisteredBackbone>(
    _ backbone: B, _ sampler: SamplerConfiguration, _ precision: DType
  ) -> any Denoiser {
    PreconditionedDenoiser(
      backbone.converted(to: precision), schedule: sampler.schedule,
      parameterization: sampler.parameterization, computeType: precision)
  }
}
