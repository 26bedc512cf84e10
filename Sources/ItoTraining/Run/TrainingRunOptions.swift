public import ItoComponents

/// How long a run is and what it leaves behind.
public struct TrainingRunOptions: Sendable {
  /// Folder for checkpoints and the log; made when it is missing.
  public var folder: String
  /// Steps of the whole run.
  public var totalSteps: Int
  /// Samples in a micro-batch.
  public var batchSize: Int
  /// Micro-batches whose gradients make one step.
  public var microBatches: Int
  /// Steps between checkpoints; one is written at the end as well.
  public var checkpointInterval: Int
  /// How many checkpoints stay.
  public var keptCheckpoints: Int
  /// Steps between lines of the log.
  public var logInterval: Int
  /// Steps between measures on held-out data; 0: only at the end.
  public var validationInterval: Int
  /// The most held-out samples to measure on.
  public var validationCount: Int
  /// Steps between pictures drawn to look at; 0: none.
  public var sampleInterval: Int
  /// Steps between snapshots of the power-function averages, in the folder `averages`, for averages of
  /// other lengths afterwards; 0: none.
  public var snapshotInterval: Int
  /// Kept in every checkpoint, for whoever reads it: the recipe.
  public var configuration: JSONValue

  /// Batches of 64, a checkpoint every 1,000 steps of which two stay, a line every 50, measures on up to
  /// 1,024 samples every 1,000, no pictures.
  public init(
    folder: String, totalSteps: Int, batchSize: Int = 64, microBatches: Int = 1,
    checkpointInterval: Int = 1000, keptCheckpoints: Int = 2, logInterval: Int = 50,
    validationInterval: Int = 1000, validationCount: Int = 1024, sampleInterval: Int = 0,
    snapshotInterval: Int = 0, configuration: JSONValue = .null
  ) {
    self.folder = folder
    self.totalSteps = totalSteps
    self.batchSize = batchSize
    self.microBatches = microBatches
    self.checkpointInterval = checkpointInterval
    self.keptCheckpoints = keptCheckpoints
    self.logInterval = logInterval
    self.validationInterval = validationInterval
    self.validationCount = validationCount
    self.sampleInterval = sampleInterval
    self.snapshotInterval = snapshotInterval
    self.configuration = configuration
  }

  /// Samples a step is made from.
  public var samplesPerStep: Int { batchSize * microBatches }
}
