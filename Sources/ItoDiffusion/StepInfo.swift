/// Where a run is.
public struct StepInfo: Sendable, Hashable {
  /// The step, from 0.
  public var index: Int
  /// Number of steps in the run.
  public var count: Int
  /// Evaluations of the guided denoiser before this one in the run: a second-order solver makes two
  /// a step.
  public var evaluation: Int
  /// The level evaluated at.
  public var level: NoiseLevel
  /// The level the step aims at.
  public var next: NoiseLevel

  /// A place in a run; `next` is the level itself when omitted.
  public init(index: Int, count: Int, evaluation: Int, level: NoiseLevel, next: NoiseLevel? = nil) {
    self.index = index
    self.count = count
    self.evaluation = evaluation
    self.level = level
    self.next = next ?? level
  }

  /// Share of the run that lies behind, from 0.
  public var progress: Double { count > 0 ? Double(index) / Double(count) : 0 }
}

/// Which of a step's evaluations this is; caches keep one session for each.
public struct PassID: Sendable, Hashable, CustomStringConvertible {
  /// The name.
  public var name: String

  /// A pass called `name`.
  public init(_ name: String) { self.name = name }

  /// With what was asked for.
  public static let conditional = PassID("conditional")
  /// With the negative or empty conditioning.
  public static let unconditional = PassID("unconditional")

  /// The name.
  public var description: String { name }
}
