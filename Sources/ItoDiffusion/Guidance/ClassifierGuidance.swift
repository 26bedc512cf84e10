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

  /// 0 for no guidance.
  public var scale: Double
  /// Where the classifier is found; nil when the request brings it.
  public var model: String?

  /// Guidance by `scale`; `SamplingRequest.guide` is a `ClassifierGradient`.
  public init(scale: Double, model: String? = nil) {
    self.scale = scale
    self.model = model
  }

  /// Takes the options `scale`, `model`.
  public init(options: inout OptionReader) throws(OptionError) {
    scale = try options.double("scale", default: 1)
    model = try options.string("model")
  }

  /// The classifier.
  public var guideModel: String? { scale == 0 ? nil : model }

  /// Refuses a run without a classifier.
  public func validate(_ request: SamplingRequest) throws(SamplingError) {
    guard scale == 0 || request.guide != nil else {
      throw .invalidRequest(
        "classifier guidance needs a classifier; name its folder, as in "
          + "classifier:scale=1,model=FOLDER")
    }
  }

  /// The evaluations wanted at a step.
  public func passes(at step: StepInfo, memory: inout Void) -> [GuidancePass] {
    scale == 0
      ? [.conditional]
      : [.conditional, GuidancePass(PassID("classifier"), .positive, model: .guide)]
  }

  /// The estimate to go on with.
  public func combine(
    _ estimates: [Tensor], of x: Tensor, at step: StepInfo, memory: inout Void
  ) -> Tensor {
    guard estimates.count == 2 else { return estimates[0] }
    return Tensor.linearCombination([(1, estimates[0]), (scale, estimates[1])])
  }
}
