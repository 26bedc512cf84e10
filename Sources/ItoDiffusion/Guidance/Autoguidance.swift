public import ItoComponents
public import ItoTensors

/// Away from a weaker version of the model: smaller, or trained for a shorter time. It corrects what
/// both do wrong without making pictures of a class alike, as guidance by the class does.
///
/// `g + scale·(c − g)`, g the weaker model's estimate with the same conditioning.
/// - Source: Karras et al. 2024, *Guiding a Diffusion Model with a Bad Version of Itself*,
///   arXiv:2406.02507, section 3.
public struct Autoguidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "autoguidance"
  /// What other tools call it.
  public static let aliases = ["auto-guidance"]
  /// One line for tables.
  public static let summary = "away from a weaker model's estimate"

  private var second: SecondModel

  /// 1 for no guidance.
  public var scale: Double {
    get { second.scale }
    set { second.scale = newValue }
  }
  /// Where the weaker model is found; nil when the request brings it.
  public var model: String? {
    get { second.model }
    set { second.model = newValue }
  }

  /// Guidance by `scale`; the weaker model is `SamplingRequest.guide`.
  public init(scale: Double, model: String? = nil) {
    second = SecondModel(scale: scale, model: model, neutral: 1)
  }

  /// Takes the options `scale`, `model`.
  public init(options: inout OptionReader) throws(OptionError) {
    second = try SecondModel(options: &options, scale: 2, neutral: 1)
  }

  /// The weaker model.
  public var guideModel: String? { second.name }

  /// Refuses a run without a second model.
  public func validate(_ request: SamplingRequest) throws(SamplingError) {
    try second.validate(
      request,
      need: "autoguidance needs a weaker model; name its folder, as in "
        + "autoguidance:scale=2,model=FOLDER")
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    second.passes("weaker-model")
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    return Tensor.linearCombination([(scale, estimates[0]), (1 - scale, estimates[1])])
  }
}
