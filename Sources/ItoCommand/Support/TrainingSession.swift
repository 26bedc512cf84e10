import ItoCheckpoints
import ItoComponents
import ItoDiffusion
import ItoModels
import ItoModules
import ItoPipelines
import ItoTensors
import ItoTraining

/// Pictures as a codec's latents.
struct CodedBatches<Base: BatchSource>: BatchSource where Base.Batch == ImageBatch {
  let batches: Base
  let codec: any LatentCodec

  var count: Int { batches.count }
  func batch(at position: Int, count: Int) -> ImageBatch {
    var batch = batches.batch(at: position, count: count)
    batch.images = codec.encode(batch.images)
    return batch
  }
  func willNeed(at position: Int, count: Int) { batches.willNeed(at: position, count: count) }
}

/// One `ito train` from recipe to model folder.
struct TrainingSession {
  let recipe: Recipe
  let steps: Int
  let run: String, output: String
  let resumes: Bool
  let isQuiet: Bool

  func trainDenoiser<B: RegisteredBackbone>(_ backbone: B) throws {
    let settings = recipe.diffusion
    let codec = try Registry<any LatentCodec>.builtin.make(settings.codec)
    let latent = try codec.latentShape(
      height: recipe.data.height, width: recipe.data.width, channels: recipe.data.channels, count: 1
    )
    guard backbone.inputChannels == latent[3], backbone.outputChannels == latent[3] else {
      throw CommandFailure(
        "\(recipe.file): the network has \(backbone.inputChannels) channels in and "
          + "\(backbone.outputChannels) out, but the data has \(latent[3]); change in_channels and "
          + "out_channels")
    }
    let (training, test) = try openData()
    if let text = recipe.text {
      return try trainPrompted(backbone, text, codec, training, test)
    }
    let labels = training.classNames
    let classes = training.classCount
    if let known = backbone.classCount, known < classes + 1 {
      throw CommandFailure(
        "\(recipe.file): the data has \(classes) classes, so the network needs \(classes + 1) (one more "
          + "for \"no class\"), not \(known)")
    }
    let model = try denoiser(backbone)
    let null = Conditioning(label: Tensor([Int32(classes)], shape: [1]))
    var objective = try objective(for: backbone, unconditional: null)
    if backbone.classCount == nil { objective.dropout = 0 }
    let trained: PreconditionedDenoiser<B>
    if let folder = recipe.data.latents {
      trained = try fit(
        model, objective, try latents(training, codec, folder, isTraining: true),
        try test.map { try latents($0, codec, folder, isTraining: false) })
    } else {
      trained = try fit(
        model, objective, try source(training, codec, isTraining: true),
        try test.map { try source($0, codec, isTraining: false) })
    }
    try write(manifest(labels: labels, codec: try portable(codec)), trained.backbone)
  }

  func denoiser<B: RegisteredBackbone>(
    _ backbone: B
  ) throws -> PreconditionedDenoiser<B> {
    let settings = recipe.diffusion
    return PreconditionedDenoiser(
      try initialized(backbone),
      schedule: try Registry<any NoiseSchedule>.builtin.make(settings.schedule),
      parameterization: try Registry<any Parameterization>.builtin.make(settings.parameterization),
      computeType: recipe.training.precision)
  }

  func objective<B: RegisteredBackbone>(
    for backbone: B, unconditional: Conditioning
  ) throws -> DenoisingObjective<B> {
    let settings = recipe.diffusion
    return DenoisingObjective<B>(
      times: try Registry<any TimeSampling>.builtin.make(settings.times),
      weighting: try Registry<any LossWeighting>.builtin.make(settings.weighting),
      isStratified: settings.isStratified,
      pairing: try Registry<any NoisePairing>.builtin.make(settings.noise),
      routing: try routing(of: backbone), dropout: settings.dropout, unconditional: unconditional)
  }

  func manifest(
    labels: [String], codec: ComponentChoice, textEncoder: String? = nil, enlarger: String? = nil
  ) -> ModelManifest {
    let (settings, sampling) = (recipe.diffusion, recipe.sampling)
    return ModelManifest(
      task: .generate, summary: recipe.summary, network: recipe.network,
      schedule: settings.schedule, parameterization: settings.parameterization,
      codec: codec, height: recipe.data.height, width: recipe.data.width,
      channels: recipe.data.channels, labels: labels,
      examples: textEncoder == nil ? [] : sampling.prompts, textEncoder: textEncoder,
      enlarger: enlarger,
      solver: sampling.solver, spacing: sampling.spacing, guidance: sampling.guidance,
      steps: sampling.steps, provenance: provenance)
  }

  func trainClassifier(_ network: ImageClassifier) throws {
    let (training, test) = try openData()
    guard network.inChannels == recipe.data.channels, network.classes == training.classCount else {
      throw CommandFailure(
        "\(recipe.file): the network takes \(network.inChannels) channels and knows \(network.classes) "
          + "classes, but the data has \(recipe.data.channels) and \(training.classCount)")
    }
    let objective = ClassificationObjective<ImageClassifier>(
      computeType: recipe.training.precision, smoothing: recipe.training.labelSmoothing
    ) { $0($1) }
    let start = try initialized(network)
    let trained: ImageClassifier
    if recipe.data.keepsAlpha {
      // What shows through is varied as captions say, and pictures are drawn by weight.
      trained = try train(
        start, objective, try prompted(training, nil, isTraining: true),
        try test.map { try prompted($0, nil, isTraining: false) })
    } else {
      trained = try train(
        start, objective, try source(training, PixelCodec(), isTraining: true),
        try test.map { try source($0, PixelCodec(), isTraining: false) })
    }
    try write(
      ModelManifest(
        task: .classify, summary: recipe.summary, network: recipe.network,
        height: recipe.data.height, width: recipe.data.width, channels: recipe.data.channels,
        labels: training.classNames, provenance: provenance), trained)
  }

  /// How tokens skip blocks, where the network lets them.
  private func routing(of backbone: some RegisteredBackbone) throws -> TokenRouting? {
    guard let choice = recipe.diffusion.routing else { return nil }
    let routing = try Registry<TokenRouting>.builtin.make(choice)
    guard backbone.routableBlocks >= routing.fewestBlocks else {
      throw CommandFailure(
        "\(recipe.file): \"diffusion.routing\" skips blocks of a transformer with at least "
          + "\(routing.fewestBlocks) of them; this network has \(backbone.routableBlocks) that tokens may "
          + "skip. Lower first and last-from-end, or leave it out")
    }
    return routing
  }

  /// `network` with the weights the recipe starts from. A run that goes on has its own.
  func initialized<M: Module>(_ network: M) throws -> M {
    guard let checkpoint = recipe.training.initial, !resumes else { return network }
    var network = network
    let report = try network.load(from: try Checkpoint.open(checkpoint), checksFinite: true)
    note("starting from \(checkpoint): \(report.scalarCount) parameters")
    return network
  }

  /// The data, for whoever uses the model later.
  var provenance: JSONValue {
    [
      "recipe": recipe.source, "steps": .integer(Int64(steps)), "version": .string(itoVersion),
    ]
  }

  func openData() throws -> (training: ImageSet, test: ImageSet?) {
    let loader = PictureLoader(data: recipe.data, isQuiet: isQuiet)
    let training = try loader.load(recipe.data.training)
    return (training, try recipe.data.test.map { try loader.load($0) })
  }

  /// The pictures' latents from `folder`, encoded now or by an earlier run.
  private func latents(
    _ images: ImageSet, _ codec: any LatentCodec, _ folder: String, isTraining: Bool
  ) throws -> CachedLatents {
    var bar = ProgressBar("encoding", unit: "picture", total: images.count, isShown: !isQuiet)
    defer { bar.clear() }
    return try CachedLatents(
      try source(images, codec, isTraining: isTraining).batches, codec: identity(of: codec),
      folder: folder, encode: { codec.encode($0) }
    ) { bar.update($0, of: $1) }
  }

  /// All that latents depend on besides the pictures.
  func identity(of codec: any LatentCodec) -> String {
    "\(recipe.diffusion.codec) \(codec.identity)"
  }

  private func source(
    _ images: ImageSet, _ codec: any LatentCodec, isTraining: Bool
  ) throws -> CodedBatches<ImageBatches> {
    CodedBatches(
      batches: try ImageBatches(
        images, seed: recipe.seed, isShuffled: isTraining,
        augmentation: isTraining ? recipe.data.augmentation : Augmentation()), codec: codec)
  }

  func train<O: TrainingObjective, S: BatchSource>(
    _ model: O.Model, _ objective: O, _ data: S, _ test: S?,
    samples: ((O.Model, Int) throws -> String)? = nil
  ) throws -> O.Model where O.Batch == ImageBatch, S.Batch == ImageBatch {
    let t = recipe.training
    let trainer = Trainer(
      model, objective: objective,
      optimizer: try Registry<any Optimizer>.builtin.make(t.optimizer),
      learningRate: LearningRate(
        peak: t.learningRate, warmupSteps: t.warmup, totalSteps: steps,
        decay: try Registry<any LearningRateDecay>.builtin.make(t.schedule)),
      options: TrainerOptions(
        seed: recipe.seed, clipNorm: t.clip, weightType: t.precision,
        averages: try t.averages.map { try Registry<any AveragingProfile>.builtin.make($0) }))
    var training = TrainingRun(
      trainer, data: data, validation: test,
      options: TrainingRunOptions(
        folder: run, totalSteps: steps, batchSize: t.batch, microBatches: t.accumulate,
        checkpointInterval: t.saveEvery, keptCheckpoints: t.keep, logInterval: t.logEvery,
        validationInterval: t.validateEvery, validationCount: t.validationCount,
        sampleInterval: samples == nil ? 0 : recipe.sampling.every, snapshotInterval: t.snapshots,
        configuration: recipe.source))
    if resumes { try training.resume() }
    let first = training.trainer.stepIndex
    let stop = StopFlag(), interrupt = Interrupt.watch()
    var bar = ProgressBar(
      "training", unit: "step", total: steps, first: first, isShown: !isQuiet)
    let begin = now()
    let outcome = try training.run(stop: stop) { event in
      if interrupt.isRequested { stop.request() }
      show(event, &bar)
      guard case .sample(let step, let model) = event, let samples else { return }
      bar.clear()
      // A sheet that cannot be drawn is no reason to end a run.
      do { note("step \(step): \(try samples(model, step))") } catch { note("no sheet: \(error)") }
    }
    bar.clear()
    if case .stopped(let step) = outcome {
      throw CommandFailure(
        "Stopped after step \(step) of \(steps); everything is saved in \(run). "
          + "Go on with: ito train \(recipe.file) --resume")
    }
    let done = training.trainer.stepIndex - first
    note("trained \(done) steps in \(formatted(seconds: now() - begin))")
    // The average as it is, not rounded to the precision trained in: `write` stores it.
    return training.trainer.average?.model ?? training.trainer.model
  }

  private func show<M: Module>(_ event: TrainingEvent<M>, _ bar: inout ProgressBar) {
    switch event {
    case .step(let step, _, let rate):
      bar.update(step.index + 1, note: "loss \(brief(step.loss))  \(brief(rate)) pictures/s")
    case .skipped(let step, let place):
      bar.clear()
      note("step \(step.index + 1) skipped: \(place)")
    case .validation(let step, let measures):
      bar.clear()
      let text = measures.map { "\($0.name) \(brief($0.value))" }.joined(separator: "  ")
      note("step \(step): held-out \(text)")
    case .checkpoint, .sample: break
    }
  }

  func note(_ text: String) { if !isQuiet { Terminal.note(text) } }

  func write(_ manifest: ModelManifest, _ model: some Module) throws {
    try makeFolder(output)
    let stored = model.converted(to: .bfloat16)
    try stored.save(to: output + "/" + manifest.weights)
    try AtomicFile.write(output + "/model.json", bytes: manifest.json.utf8(.pretty))
    if isQuiet {
      Terminal.output(JSONValue.object(["model": .string(output)]).text())
    } else {
      Terminal.output("\(output): \(stored.parameterCount) parameters")
    }
  }
}
