public import ItoTensors

/// Which conditioning a pass is evaluated with.
public enum ConditioningRole: Sendable, Hashable {
  /// What was asked for.
  case positive
  /// What was asked against, or nothing.
  case negative
}

/// One evaluation that guidance wants at a step. May grow fields.
public struct GuidancePass: Sendable, Hashable {
  /// Tells the passes apart; caches keep one session for each.
  public var id: PassID
  /// The conditioning.
  public var role: ConditioningRole

  /// A pass.
  public init(_ id: PassID, _ role: ConditioningRole) {
    self.id = id
    self.role = role
  }

  /// With what was asked for.
  public static let conditional = GuidancePass(.conditional, .positive)
  /// With the negative conditioning.
  public static let unconditional = GuidancePass(.unconditional, .negative)
}

/// How several estimates become one.
///
/// Guidance declares the evaluations it needs; the run makes them, in one batch, one after the other
/// or on several machines.
public protocol Guidance: Sendable {
  /// State of a run, such as momentum.
  associatedtype Memory = Void

  /// The state at the beginning of a run.
  func makeMemory(for plan: SamplingPlan) -> Memory

  /// What must be evaluated, at least one pass.
  func passes(at step: StepInfo, memory: inout Memory) -> [GuidancePass]

  /// The estimate to go on with.
  ///
  /// - Parameters:
  ///   - estimates: clean estimates in the order of the passes, float32.
  ///   - x: the sample they are estimates for.
  func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Memory
  ) -> Tensor
}

extension Guidance where Memory == Void {
  /// Nothing to remember.
  public func makeMemory(for plan: SamplingPlan) {}
}
