public import ItoTensors

/// Which conditioning a pass is evaluated with.
public enum ConditioningRole: Sendable, Hashable {
  /// What was asked for.
  case positive
  /// What was asked against, or nothing.
  case negative
}

/// Which model a pass is evaluated with.
public enum PassModel: Sendable, Hashable {
  /// The model that is sampled.
  case main
  /// `SamplingRequest.guide`: a weaker model, or a classifier's gradient.
  case guide
}

/// One evaluation that guidance wants at a step. May grow fields.
public struct GuidancePass: Sendable, Hashable {
  /// Tells the passes apart; caches keep one session for each.
  public var id: PassID
  /// The conditioning.
  public var role: ConditioningRole
  /// The model.
  public var model: PassModel
  /// What is spoiled of the model on purpose.
  public var perturbation: Perturbation?

  /// A pass.
  public init(
    _ id: PassID, _ role: ConditioningRole, model: PassModel = .main,
    perturbation: Perturbation? = nil
  ) {
    self.id = id
    self.role = role
    self.model = model
    self.perturbation = perturbation
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

  /// The folder or name of the model that `PassModel.guide` stands for, for whoever loads it; nil
  /// when there is none or it is given in the request.
  var guideModel: String? { get }

  /// Throws `SamplingError.invalidRequest` for a run in which the guidance cannot act.
  func validate(_ request: SamplingRequest) throws(SamplingError)

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

extension Guidance {
  /// None.
  public var guideModel: String? { nil }

  /// Accepts every run.
  public func validate(_ request: SamplingRequest) throws(SamplingError) {}
}
