import ItoComponents

/// A second model that guides by an estimate of its own: what autoguidance and classifier guidance have in
/// common.
struct SecondModel: Sendable, Hashable {
  /// Weight of its part.
  var scale: Double
  /// Where the model is found; nil when the request brings it.
  var model: String?
  /// The scale that stands for no guidance.
  let neutral: Double

  init(scale: Double, model: String?, neutral: Double) {
    self.scale = scale
    self.model = model
    self.neutral = neutral
  }

  /// Takes the options `scale`, `model`.
  init(options: inout OptionReader, scale: Double, neutral: Double) throws(OptionError) {
    self.scale = try options.double("scale", default: scale)
    model = try options.string("model")
    self.neutral = neutral
  }

  /// Whether there is anything to do.
  var isActive: Bool { scale != neutral }

  /// The model to load.
  var name: String? { isActive ? model : nil }

  /// Refuses a run without the model.
  ///
  /// - Parameter need: what is missing and how to name it.
  func validate(_ request: SamplingRequest, need: String) throws(SamplingError) {
    guard !isActive || request.guide != nil else { throw .invalidRequest(need) }
  }

  /// The conditional estimate, and that of the second model.
  func passes(_ id: String) -> [GuidancePass] {
    isActive ? [.conditional, GuidancePass(PassID(id), .positive, model: .guide)] : [.conditional]
  }
}
