public import ItoComponents
public import ItoTensors

/// Towards samples that a classifier recognises as what was asked for.
///
/// `c + scale·(σ²/α)·∇ₓ log p(y | x)`: the clean estimate of the density p(x)·p(y | x)^scale.
/// - Source: Dhariwal & Nichol 2021, *Diffusion Models Beat GANs on Image Synthesis*,
///   arXiv:2105.05233, algorithm 1, as a shift of the clean estimate.
public struct ClassifierGuidance: Guidance, Configurable {
  /// Its name in the registry.
  public static let name = "classifier"
  /// What other tools call it.
  public static let aliases = ["classifier-guidance"]
  /// One line for tables.
  public static let summary = "along the gradient of a classifier"

  private var second: SecondModel

  /// 0 for no guidance.
  public var scale: Double {
    get { second.scale }
    set { second.scale = newValue }
  }
  /// Where the classifier is found; nil when the request brings it.
  public var model: String? {
    get { second.model }
    set { second.model = newValue }
  }

  /// Guidance by `scale`; `SamplingRequest.guide` is a `ClassifierGradient`.
  public init(scale: Double, model: String? = nil) {
    second = SecondModel(scale: scale, model: model, neutral: 0)
  }

  /// Takes the options `scale`, `model`.
  public init(options: inout OptionReader) throws(OptionError) {
    second = try SecondModel(options: &options, scale: 1, neutral: 0)
  }

  /// The classifier.
  public var guideModel: String? { second.name }

  /// Refuses a run without a classifier.
  public func validate(_ request: SamplingRequest) throws(SamplingError) {
    try second.validate(
      request,
      need: "classifier guidance needs a classifier; name its folder, as in "
        + "classifier:scale=1,model=FOLDER")
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    second.passes("classifier")
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    return Tensor.linearCombination([(1, estimates[0]), (scale, estimates[1])])
  }
}
