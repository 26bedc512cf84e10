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
    let trained = try train(
      try denoiser(backbone), objective, try source(training, captions, codec, isTraining: true),
      try test.map { try source($0, captions, codec, isTraining: false) },
      samples: samples.map { samples in { try samples.draw($0, step: $1) } })
    try copy(
      ["config.json", "vocab.txt", "model.safetensors"], from: text.encoder, to: "text_encoder")
    if let enlarger = recipe.diffusion.enlarger {
      try copy(["model.json", "model.safetensors"], from: enlarger, to: "enlarger")
    }
    try write(
      manifest(
        labels: [], textEncoder: "text_encoder",
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

  private func source(
    _ images: ImageSet, _ captions: EncodedCaptions, _ codec: any LatentCodec, isTraining: Bool
  ) throws -> CodedBatches<PromptedBatches> {
    CodedBatches(
      batches: try PromptedBatches(
        images, captions: captions, seed: recipe.seed, isTraining: isTraining), codec: codec)
  }

  /// Trains a network that makes small pictures large.
  func trainEnlarger(_ network: Enlarger) throws {
    let objective = EnlargementObjective<Enlarger>(
      factor: network.factor, noise: recipe.training.noise,
      computeType: recipe.training.precision
    ) { $0($1) }
    let (training, test) = try openData()
    func source(_ images: ImageSet, isTraining: Bool) throws -> PromptedBatches {
      try PromptedBatches(images, captions: nil, seed: recipe.seed, isTraining: isTraining)
    }
    let trained = try train(
      network, objective, try source(training, isTraining: true),
      try test.map { try source($0, isTraining: false) })
    try write(
      ModelManifest(
        task: .enlarge, summary: recipe.summary, network: recipe.network,
        height: recipe.data.height,
        width: recipe.data.width, channels: recipe.data.channels, labels: [],
        provenance: provenance), trained)
  }
}
