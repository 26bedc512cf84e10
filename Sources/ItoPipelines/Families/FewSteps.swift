import ItoComponents

/// What models that were distilled to a few steps are drawn with, known from their own files.
struct FewSteps {
  var steps: Int
  var guidance: ComponentChoice

  /// Nil for a model of many steps.
  ///
  /// - Parameters:
  ///   - scheduler: `scheduler_config.json`.
  ///   - hasGuidanceInput: whether the network takes the scale of guidance as an input, which only
  ///     distilled ones do.
  init?(scheduler: JSONValue, hasGuidanceInput: Bool) {
    let name = scheduler["_class_name"]?.string ?? ""
    if hasGuidanceInput || name == "LCMScheduler" || name == "TCDScheduler" {
      // Luo et al. 2023, arXiv:2310.04378; without the input the guidance is baked in.
      steps = 4
      guidance =
        hasGuidanceInput
        ? ComponentChoice("cfg", options: ["scale": .double(8.5)]) : ComponentChoice("none")
      return
    }
    // SD-Turbo and SDXL-Turbo, Sauer et al. 2023, arXiv:2311.17042: Euler from the noisiest timestep, for
    // a network that predicts noise. Networks for pure noise start there too, but predict v.
    let isTurbo =
      name.hasPrefix("Euler") && scheduler["timestep_spacing"]?.string == "trailing"
      && scheduler["prediction_type"]?.string ?? "epsilon" == "epsilon"
      && scheduler["rescale_betas_zero_snr"]?.bool != true
    guard isTurbo else { return nil }
    steps = 1
    guidance = ComponentChoice("none")
  }

  /// What people call a scheduler class: `EulerDiscreteScheduler` is `EulerDiscrete`.
  static func solverName(_ scheduler: JSONValue) -> String {
    let name = scheduler["_class_name"]?.string ?? "unknown"
    return name.hasSuffix("Scheduler") ? String(name.dropLast("Scheduler".count)) : name
  }
}
