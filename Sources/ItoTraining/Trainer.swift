public import ItoModules
public import ItoTensors

/// How a trainer trains.
public struct TrainerOptions: Sendable {
  /// Seed of the noise: what a step draws is a function of (seed, step, micro-batch).
  public var seed: UInt64
  /// The largest norm of all gradients together; larger ones are scaled down to it. Nil: no limit.
  public var clipNorm: Double?
  /// Element type of matrices and kernels in the model. Below float32, the optimizer holds the exact
  /// values. The type that activations have is the model's own setting
  /// (`PreconditionedDenoiser.computeType`).
  public var weightType: DType
  /// The averages of the model's past that are kept: the first is the one to sample from, the others are
  /// there to be saved. Empty: none.
  public var averages: [any AveragingProfile]
  /// Steps in a row that may be skipped because something was not finite, before training stops.
  public var maximumSkips: Int
  /// Which parameters are trained: all of them, or adapters only, or biases only.
  public var isTrainable: @Sendable (ModulePath) -> Bool

  /// Gradients clipped at 1, float32, an average of 0.9999, at most 10 steps skipped in a row, all
  /// parameters trained.
  public init(
    seed: UInt64 = 0, clipNorm: Double? = 1, weightType: DType = .float32,
    averages: [any AveragingProfile] = [ExponentialProfile(decay: 0.9999)],
    maximumSkips: Int = 10,
    isTrainable: @escaping @Sendable (ModulePath) -> Bool = { _ in true }
  ) {
    self.seed = seed
    self.clipNorm = clipNorm
    self.weightType = weightType
    self.averages = averages
    self.maximumSkips = maximumSkips
    self.isTrainable = isTrainable
  }
}

/// What a step did.
public struct TrainingStep: Sendable, Hashable {
  /// The step, from 0.
  public var index: Int
  /// Mean loss over the micro-batches, before the update.
  public var loss: Double
  /// Norm of all gradients together, before clipping.
  public var gradientNorm: Double
  /// The learning rate.
  public var learningRate: Double
  /// Why the weights were left as they were; nil when they were updated.
  public var skipped: NonFinite?
}

/// A model in training with everything that its next step depends on besides the data.
///
/// A trainer is a value: a copy goes on independently, and one that is saved and restored goes on bit
/// for bit. It knows nothing of files, logs or schedules of a run; see `TrainingRun`.
///
/// - Memory: the model, its gradients, the optimizer's memory (AdamW: two floats a parameter), the
///   averages. Steps after the first allocate none of these anew.
public struct Trainer<Objective: TrainingObjective>: Sendable {
  /// The model, in `options.weightType`.
  public internal(set) var model: Objective.Model
  /// The optimizer and what it remembers.
  public internal(set) var optimizer: any Optimizer
  /// The averages of the model's past, float32, in the order of `options.averages`.
  public internal(set) var averages: [WeightAverage<Objective.Model>]
  /// What the model is trained for.
  public let objective: Objective
  /// The rate of each step.
  public let learningRate: LearningRate
  /// How it is trained.
  public let options: TrainerOptions
  /// Steps done, skipped ones included.
  public internal(set) var stepIndex = 0
  /// Steps skipped since the last that was not.
  public internal(set) var skipsInARow = 0

  /// A trainer at its first step.
  ///
  /// - Parameter model: in float32; it is rounded here to `options.weightType`, its exact values going
  ///   to the optimizer.
  public init(
    _ model: Objective.Model, objective: Objective, optimizer: any Optimizer,
    learningRate: LearningRate, options: TrainerOptions = TrainerOptions()
  ) {
    self.objective = objective
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.options = options
    let exact = model.mappingParameters { $1.detached() }
    let rounded = options.weightType == .float32 ? exact : exact.converted(to: options.weightType)
    self.model = rounded
    self.optimizer.memory.adoptMasters(from: exact, for: rounded, where: options.isTrainable)
    // What is not trained needs no average: it shares the model's buffers for good.
    let frozen = Dictionary(
      rounded.parameters.filter { !options.isTrainable($0.path) }.map { ($0.path, $0.tensor) },
      uniquingKeysWith: { first, _ in first })
    averages = options.averages.map { profile in
      WeightAverage(
        exact.mappingParameters { path, tensor in frozen[path] ?? tensor }, profile: profile)
    }
  }

  /// The average to sample from.
  public var average: WeightAverage<Objective.Model>? { averages.first }

  /// The model to sample from and to judge: the average in `options.weightType`, or the model itself
  /// when there is no average.
  public var bestModel: Objective.Model {
    guard let average else { return model }
    return options.weightType == .float32
      ? average.model : average.model.converted(to: options.weightType)
  }

  /// One update from `microBatches`, whose gradients are averaged.
  ///
  /// A step whose loss or gradients are not finite changes nothing but the step's number.
  /// - Throws: `TrainingError.diverged` when that happened `options.maximumSkips` times in a row.
  @discardableResult
  public mutating func step(_ microBatches: [Objective.Batch]) throws(TrainingError) -> TrainingStep
  {
    require(!microBatches.isEmpty, "a training step without a batch")
    let share = 1 / Double(microBatches.count)
    var gradients = Gradients()
    var loss = 0.0
    for (number, batch) in microBatches.enumerated() {
      let (value, own) = evaluate(batch, number: number)
      loss += share * value
      gradients.accumulate(own)
    }
    let norm = share * self.norm(of: gradients)
    var step = TrainingStep(
      index: stepIndex, loss: loss, gradientNorm: norm,
      learningRate: learningRate.rate(at: stepIndex)
    )
    stepIndex += 1
    guard loss.isFinite, norm.isFinite else {
      // Finite gradients whose squares do not fit a double do not occur; the loss is then to blame.
      let place = NonFinite.find(in: model, loss: loss, gradients: gradients) ?? .loss
      step.skipped = place
      skipsInARow += 1
      if skipsInARow >= options.maximumSkips {
        throw .diverged(step: step.index, inARow: skipsInARow, place: place)
      }
      return step
    }
    skipsInARow = 0
    let clip = options.clipNorm.map { min(1, $0 / max(norm, 1e-12)) } ?? 1
    optimizer.update(
      &model, with: gradients, learningRate: step.learningRate, gradientScale: share * clip)
    for i in averages.indices { averages[i].absorb(model, memory: optimizer.memory) }
    return step
  }

  /// Measures of `bestModel` on held-out batches, each the mean over them; the noise is the same
  /// whenever it is asked for.
  ///
  /// - Parameter batches: with their numbers of samples.
  public func measures(
    on batches: some Sequence<(batch: Objective.Batch, count: Int)>
  ) -> [(name: String, value: Double)] {
    let model = bestModel
    var sums: [(name: String, value: Double)] = []
    var total = 0
    for (number, (batch, count)) in batches.enumerated() {
      var noise = NoiseSource(seed: options.seed, engine: .philox)
        .stream(Self.validationStream).stream(UInt64(number))
      let found = objective.measures(of: model, on: batch, noise: &noise)
      if sums.isEmpty { sums = found.map { ($0.name, 0) } }
      for i in sums.indices { sums[i].value += Double(count) * found[i].value }
      total += count
    }
    return sums.map { ($0.name, $0.value / Double(max(1, total))) }
  }

  private static var validationStream: UInt64 { .max }

  /// The norm of all gradients together, summed in the order of the model: a dictionary's order differs
  /// from process to process, and with it the last bit of a sum.
  private func norm(of gradients: Gradients) -> Double {
    var sum = 0.0
    for (path, _) in model.parameters {
      if let gradient = gradients[path] { sum += gradient.sumOfSquares }
    }
    return sum.squareRoot()
  }

  private func evaluate(
    _ batch: Objective.Batch, number: Int
  ) -> (loss: Double, gradients: Gradients) {
    var noise = NoiseSource(seed: options.seed, engine: .philox)
      .stream(UInt64(stepIndex)).stream(UInt64(number))
    let (value, gradients) = valueWithGradient(at: model, where: options.isTrainable) { model in
      objective.loss(of: model, on: batch, noise: &noise)
    }
    return (Double(value.item), gradients)
  }
}
