import ItoComponents

/// The history of a run's loss in a few numbers; saved, so that a resumed run reports what it would have.
public struct LossSummary: Sendable, Hashable {
  /// Sum and number of the losses since the last line of the log.
  var pendingSum = 0.0
  var pendingCount = 0
  /// Mean of the losses with a memory of some hundred steps; nil before the first.
  public private(set) var smoothed: Double?
  /// The last held-out loss.
  public internal(set) var validation: Double?
  /// The lowest held-out loss.
  public internal(set) var bestValidation: Double?
  /// Steps that were skipped.
  public private(set) var skippedSteps = 0

  private static let memory = 0.99

  /// Nothing yet.
  public init() {}

  mutating func add(_ step: TrainingStep) {
    guard step.skipped == nil else {
      skippedSteps += 1
      return
    }
    pendingSum += step.loss
    pendingCount += 1
    smoothed = smoothed.map { Self.memory * $0 + (1 - Self.memory) * step.loss } ?? step.loss
  }

  /// The mean since the last call, nil when every step was skipped.
  mutating func takeMean() -> Double? {
    defer { (pendingSum, pendingCount) = (0, 0) }
    return pendingCount > 0 ? pendingSum / Double(pendingCount) : nil
  }

  mutating func addValidation(_ loss: Double) {
    validation = loss
    if loss.isFinite { bestValidation = min(bestValidation ?? .infinity, loss) }
  }
}

extension LossSummary {
  /// For a checkpoint; doubles keep every bit.
  var json: JSONValue {
    func number(_ value: Double?) -> JSONValue {
      value.map { $0.isFinite ? .double($0) : .null } ?? .null
    }
    return [
      "pending_sum": number(pendingSum), "pending_count": .integer(Int64(pendingCount)),
      "smoothed": number(smoothed), "validation": number(validation),
      "best_validation": number(bestValidation), "skipped_steps": .integer(Int64(skippedSteps)),
    ]
  }

  init(_ json: JSONValue) {
    pendingSum = json["pending_sum"]?.double ?? 0
    pendingCount = json["pending_count"]?.int ?? 0
    smoothed = json["smoothed"]?.double
    validation = json["validation"]?.double
    bestValidation = json["best_validation"]?.double
    skippedSteps = json["skipped_steps"]?.int ?? 0
  }
}
