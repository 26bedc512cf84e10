import ItoComponents
import ItoDiffusion
import ItoTensors

extension ImageGenerator {
  /// The request that makes the picture of `recipe` again, and what in it cannot be matched, a sentence
  /// each; none means that the picture will be the same if the model is.
  public func request(
    reproducing recipe: PictureRecipe
  ) throws(PipelineError) -> (request: GenerationRequest, differences: [String]) {
    var differences: [String] = []
    var prompt = Prompt(recipe.prompt, negative: recipe.negative.isEmpty ? nil : recipe.negative)
    prompt.grammar = try choice(recipe.grammar)
    prompt.clipSkip = recipe.clipSkip.flatMap { $0 > 1 ? $0 - 1 : nil }
    var request = GenerationRequest(
      prompts: [prompt], seed: recipe.seed ?? 0, height: recipe.height, width: recipe.width,
      steps: recipe.steps, engine: recipe.engine ?? .torch)
    if recipe.seed == nil { differences.append("the seed was not written down; 0 is used") }
    if let sampler = recipe.sampler, sampler != defaults.solver {
      let known = try choice(sampler)
      if Registry<any Solver>.builtin.contains(known.name) {
        request.solver = known
      } else {
        differences.append("there is no sampler \"\(sampler)\"; \(defaults.solver) is used")
      }
    }
    if let schedule = recipe.schedule, schedule != defaults.spacing {
      let known = try choice(schedule)
      if Registry<any StepSpacing>.builtin.contains(known.name) {
        request.spacing = known
      } else {
        differences.append("there is no schedule \"\(schedule)\"; the model's own is used")
      }
    }
    if let guidance = recipe.guidance {
      request.guidance = try choice(guidance)
    } else if let scale = recipe.guidanceScale {
      request.guidance = self.guidance(scale: scale)
    }
    if let model = recipe.model, model != name {
      differences.append("it was made with the model \"\(model)\", this is \"\(name)\"")
    }
    if let hash = recipe.modelHash {
      differences.append("the model's hash \(hash) was not compared")
    }
    if recipe.strength != nil {
      differences.append("it was made from another picture: give that with --init")
    }
    let missing = recipe.adapters.filter { !adapters.contains($0) }
    for adapter in missing {
      differences.append(
        "the adapter \(adapter.name) at strength \(adapter.strength) is not applied: give it with --lora"
      )
    }
    for setting in recipe.others {
      differences.append("\(setting.key): \(setting.value) has no counterpart here")
    }
    if !recipe.tool.hasPrefix("ito") {
      differences.append(
        "\(recipe.tool) computes in other precisions and orders, so small differences remain")
    }
    return (request, differences)
  }

  private func choice(_ text: String) throws(PipelineError) -> ComponentChoice {
    try wrapping(PipelineError.option) { () throws(OptionError) in
      try ComponentChoice(parsing: text)
    }
  }
}
