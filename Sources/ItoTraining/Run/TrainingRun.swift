public import ItoComponents

/// A trainer, its data and its files: the loop from the first step to the last.
///
/// A run that is killed at any instant and resumed ends with the same weights, bit for bit, as one that
/// was not: the next step is a function of the checkpoint, and the data and the noise of a step are
/// functions of its number.
///
///     var run = TrainingRun(trainer, data: batches, options: options)
///     try run.resume()                      // when there is a checkpoint
///     let outcome = try run.run(stop: flag) { event in print(event) }
public struct TrainingRun<Objective: TrainingObjective, Source: BatchSource>: Sendable
where Source.Batch == Objective.Batch {
  /// The trainer as it is now.
  public private(set) var trainer: Trainer<Objective>
  /// What it is trained on.
  public let data: Source
  /// What it is measured on; nil: it is not.
  public let validation: Source?
  /// How long it is and what it leaves behind.
  public let options: TrainingRunOptions
  /// The checkpoints.
  public let checkpoints: CheckpointFolder
  /// The loss so far.
  public private(set) var loss = LossSummary()
  /// Samples drawn so far: the position in the data.
  public private(set) var position = 0
  private var isResumed = false

  /// A run at its first step. Nothing is read or written yet.
  public init(
    _ trainer: Trainer<Objective>, data: Source, validation: Source? = nil,
    options: TrainingRunOptions
  ) {
    self.trainer = trainer
    self.data = data
    self.validation = validation
    self.options = options
    checkpoints = CheckpointFolder(options.folder, keeps: options.keptCheckpoints)
  }

  /// Goes on from the newest checkpoint in the folder.
  ///
  /// - Returns: the configuration that was kept in it.
  /// - Throws: `nothingToResume` when there is none; also when it is damaged, or belongs to another
  ///   model, seed or data set.
  @discardableResult
  public mutating func resume() throws(TrainingError) -> JSONValue {
    guard let found = try checkpoints.latest() else {
      throw .nothingToResume(folder: options.folder)
    }
    let file = checkpoints.stateFile(found.step)
    guard let trained = found.state["trainer"], let samples = found.state["samples"]?.int,
      let count = found.state["data_count"]?.int
    else { throw .corrupt(file: file, reason: "it is not the state of a training run") }
    guard count == data.count else {
      throw .incompatible(
        file: file, reason: "its data had \(count) samples, not \(data.count)")
    }
    var restored = trainer
    try restored.restore(trained, from: found.tensors)
    trainer = restored
    position = samples
    loss = LossSummary(found.state["loss"] ?? .null)
    isResumed = true
    do throws(FileError) { try log.truncate(from: trainer.stepIndex) } catch { throw .file(error) }
    return found.state["configuration"] ?? .null
  }

  /// Trains until all steps are done or `stop` is requested, and saves.
  ///
  /// - Parameter onEvent: called on this thread between steps.
  /// - Throws: when a checkpoint cannot be written, or training diverges. What was saved before stays.
  public mutating func run(
    stop: StopFlag = StopFlag(), onEvent: (TrainingEvent<Objective.Model>) -> Void = { _ in }
  ) throws(TrainingError) -> TrainingOutcome {
    if !isResumed, let last = checkpoints.steps.last {
      throw .folderInUse(folder: options.folder, step: last)
    }
    if !isResumed {
      do throws(DataError) { try createFolder(options.folder) } catch { throw .data(error) }
      do throws(FileError) { try log.truncate(from: 0) } catch { throw .file(error) }
    }
    var speed = Speed()
    while trainer.stepIndex < options.totalSteps && !stop.isRequested {
      try step(&speed, onEvent)
    }
    let isFinished = trainer.stepIndex >= options.totalSteps
    if checkpoints.steps.last != trainer.stepIndex { try save(onEvent) }
    return isFinished ? .finished : .stopped(step: trainer.stepIndex)
  }

  private var log: TrainingLog { TrainingLog(path: options.folder + "/log.jsonl") }

  /// One step and whatever is due after it.
  private mutating func step(
    _ speed: inout Speed, _ onEvent: (TrainingEvent<Objective.Model>) -> Void
  ) throws(TrainingError) {
    let count = options.samplesPerStep
    data.willNeed(at: position + count, count: count)
    let batches = (0..<options.microBatches).map {
      data.batch(at: position + $0 * options.batchSize, count: options.batchSize)
    }
    let step = try trainer.step(batches)
    position += count
    loss.add(step)
    speed.add(samples: count)
    if let place = step.skipped { onEvent(.skipped(step, place)) }
    onEvent(.step(step, loss: loss, samplesPerSecond: speed.samplesPerSecond))

    let done = trainer.stepIndex
    let isLast = done >= options.totalSteps
    if isLast || isDue(done, options.logInterval) { try writeLine(step, speed) }
    if isLast || isDue(done, options.validationInterval) { try validate(onEvent) }
    // After the log, so that a checkpoint's log is complete up to its step.
    if isDue(done, options.checkpointInterval) { try save(onEvent) }
    if options.snapshotInterval > 0 && (isLast || isDue(done, options.snapshotInterval)) {
      try AverageSnapshots(options.folder + "/averages").save(trainer.averages)
    }
    if isDue(done, options.sampleInterval) {
      onEvent(.sample(step: done, model: trainer.bestModel))
    }
  }

  private func isDue(_ step: Int, _ interval: Int) -> Bool { interval > 0 && step % interval == 0 }

  private mutating func validate(
    _ onEvent: (TrainingEvent<Objective.Model>) -> Void
  ) throws(TrainingError) {
    guard let validation else { return }
    let total = min(options.validationCount, validation.count)
    let size = options.batchSize
    let measures = trainer.measures(
      on: stride(from: 0, to: total, by: size).lazy.map { start in
        let count = min(size, total - start)
        return (validation.batch(at: start, count: count), count)
      })
    if let value = measures.first(where: { $0.name == "loss" })?.value { loss.addValidation(value) }
    var line: JSONObject = ["step": .integer(Int64(trainer.stepIndex - 1))]
    for (name, value) in measures { line["validation_" + name] = number(value) }
    try append(line)
    onEvent(.validation(step: trainer.stepIndex, measures: measures))
  }

  private mutating func writeLine(_ step: TrainingStep, _ speed: Speed) throws(TrainingError) {
    try append([
      "step": .integer(Int64(step.index)),
      "loss": number(loss.takeMean() ?? .nan),
      "gradient_norm": number(step.gradientNorm),
      "learning_rate": number(step.learningRate),
      "samples": .integer(Int64(position)),
      "samples_per_second": number((speed.samplesPerSecond * 10).rounded() / 10),
    ])
  }

  /// JSON has no infinities and no NaN.
  private func number(_ value: Double) -> JSONValue { value.isFinite ? .double(value) : .null }

  private func append(_ line: JSONObject) throws(TrainingError) {
    do throws(FileError) { try log.append(.object(line)) } catch { throw .file(error) }
  }

  private func save(_ onEvent: (TrainingEvent<Objective.Model>) -> Void) throws(TrainingError) {
    let state: JSONObject = [
      "format": "Ito training state 1",
      "step": .integer(Int64(trainer.stepIndex)),
      "samples": .integer(Int64(position)),
      "data_count": .integer(Int64(data.count)),
      "trainer": .object(trainer.state),
      "loss": loss.json,
      "configuration": options.configuration,
    ]
    try checkpoints.save(trainer.stateTensors, state: state, step: trainer.stepIndex)
    onEvent(
      .checkpoint(step: trainer.stepIndex, file: checkpoints.tensorFile(trainer.stepIndex)))
  }
}
