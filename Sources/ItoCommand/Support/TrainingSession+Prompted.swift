import ItoComponents
import ItoDiffusion
import ItoModels
import ItoPipelines
import ItoTensors
import ItoTraining

extension TrainingSession {
  /// Trains a network on pictures with captions.
  func trainPrompted<B: RegisteredBackbone>(
    _ backbone: B, _ text: Recipe.Text, _ codec: any LatentCodec, _ training: ImageSet,
    _ test: ImageSet?
  ) throws {
    let prompts = try PromptedTraining(text, isQuiet: isQuiet)
    let captions = try prompts.encode([training] + (test.map { [$0] } ?? []))
    let objective = try objective(for: backbone, unconditional: captions.unconditional)
    let samples = try samples(prompts, codec, captions.unconditional)
    let data = try prompted(training, captions, isTraining: true)
    let heldOut = try test.map { try prompted($0, captions, isTraining: false) }
    let draw: ((PreconditionedDenoiser<B>, Int) throws -> String)? = samples.map { samples in
      { try samples.draw($0, step: $1) }
    }
    let model = try denoiser(backbone)
    let trained: PreconditionedDenoiser<B>
    if let folder = recipe.data.latents {
      trained = try fit(
        model, objective, try latents(data, codec, folder),
        try heldOut.map { try latents($0, codec, folder) }, samples: draw)
    } else {
      trained = try fit(
        model, objective, CodedBatches(batches: data, codec: codec),
        heldOut.map { CodedBatches(batches: $0, codec: codec) }, samples: draw)
    }
    try copy(
      ["config.json", "vocab.txt", "model.safetensors"], from: text.encoder, to: "text_encoder")
    if let enlarger = recipe.diffusion.enlarger {
      try copy(["model.json", "model.safetensors"], from: enlarger, to: "enlarger")
    }
    try write(
      manifest(
        labels: [], codec: try portable(codec), textEncoder: "text_encoder",
        enlarger: recipe.diffusion.enlarger.map { _ in "enlarger" }), trained.backbone)
  }

  /// Makes `files` of `source` part of the model folder, under `name`.
  private func copy(_ files: [String], from source: String, to name: String) throws {
    let folder = output + "/" + name
    try makeFolder(folder)
    for file in files where !isSameFile("\(source)/\(file)", "\(folder)/\(file)") {
      try AtomicFile.write(
        "\(folder)/\(file)", bytes: try readFile("\(source)/\(file)", limit: 1 << 32))
    }
  }

  private func samples(
    _ prompts: PromptedTraining, _ codec: any LatentCodec, _ negative: Conditioning
  ) throws -> TrainingSamples? {
    let sampling = recipe.sampling
    guard sampling.every > 0, !sampling.prompts.isEmpty else { return nil }
    return TrainingSamples(
      prompts: sampling.prompts, positive: try prompts.encode(sampling.prompts),
      negative: negative, codec: codec,
      latentShape: try codec.latentShape(
        height: recipe.data.height, width: recipe.data.width, channels: recipe.data.channels,
        count: 1), sampling: sampling, folder: run + "/samples")
  }

  /// Pictures with captions, or with what shows through them varied, as the recipe wants them.
  func prompted(
    _ images: ImageSet, _ captions: EncodedCaptions?, isTraining: Bool
  ) throws -> PromptedBatches {
    let augmentation = recipe.data.augmentation
    guard augmentation.maximumShift == 0 else {
      throw CommandFailure(
        "\(recipe.file): \"data.shift\" is not for pictures with captions or alpha; leave it out")
    }
    return try PromptedBatches(
      images, captions: captions, seed: recipe.seed, isTraining: isTraining,
      mirrors: augmentation.horizontalFlip, background: recipe.data.background)
  }

  /// The pictures' latents from `folder`, encoded now or by an earlier run.
  private func latents(
    _ batches: PromptedBatches, _ codec: any LatentCodec, _ folder: String
  ) throws -> CachedPromptedLatents {
    var bar = ProgressBar("encoding", unit: "picture", total: batches.count, isShown: !isQuiet)
    defer { bar.clear() }
    return try CachedPromptedLatents(
      batches, codec: identity(of: codec), folder: folder, encode: { codec.encode($0) }
    ) { bar.update($0, of: $1) }
  }

  /// Trains a network that makes small pictures large.
  func trainEnlarger(_ network: Enlarger) throws {
    let objective = EnlargementObjective<Enlarger>(
      factor: network.factor, noise: recipe.training.noise,
      computeType: recipe.training.precision
    ) { $0($1) }
    let (training, test) = try openData()
    let trained = try train(
      network, objective, try prompted(training, nil, isTraining: true),
      try test.map { try prompted($0, nil, isTraining: false) })
    try write(
      ModelManifest(
        task: .enlarge, summary: recipe.summary, network: recipe.network,
        height: recipe.data.height,
        width: recipe.data.width, channels: recipe.data.channels, labels: [],
        provenance: provenance), trained)
  }
}
