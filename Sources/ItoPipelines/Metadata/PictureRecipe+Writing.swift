import ItoComponents
import ItoDiffusion
import ItoTensors

extension PictureRecipe {
  /// The text to store under `parameters`, which `init(parameters:)` reads back.
  public var parameterText: String {
    var settings: [Setting] = []
    func add(_ key: String, _ value: (some CustomStringConvertible)?) {
      if let value { settings.append(Setting(key: key, value: "\(value)")) }
    }
    add("Steps", steps)
    add("Sampler", sampler)
    add("Schedule type", schedule)
    add("CFG scale", guidanceScale.map(Self.short))
    add("Guidance", guidance)
    add("Seed", seed)
    if let width, let height { add("Size", "\(width)x\(height)") }
    add("Model hash", modelHash)
    add("Model", model)
    add("Denoising strength", strength.map(Self.short))
    if let clipSkip, clipSkip > 1 { add("Clip skip", clipSkip) }
    switch engine {
    case .torch?: add("RNG", "CPU")
    case .cuda?: add("RNG", "NV")
    default: add("RNG", engine?.rawValue)
    }
    if grammar != "literal" { add("Prompt style", grammar) }
    if !adapters.isEmpty {
      add(
        "Lora", adapters.map { "\($0.name)=\(Self.short($0.strength))" }.joined(separator: ", "))
    }
    settings += others
    add("Version", tool)
    return ParameterText(prompt: prompt, negative: negative, settings: settings).text
  }

  /// `7` for 7.0.
  private static func short(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}

extension ImageGenerator {
  /// How picture `index` of `request` is made.
  ///
  /// - Parameter tool: name and version of the program, as `ito 1.0`.
  public func recipe(
    of request: GenerationRequest, picture index: Int, tool: String
  ) -> PictureRecipe {
    var recipe = PictureRecipe(tool: tool)
    let prompt = request.prompts[index]
    recipe.prompt = title(of: prompt)
    recipe.negative = prompt.negative ?? ""
    recipe.grammar = prompt.grammar.description
    recipe.clipSkip = prompt.clipSkip.map { $0 + 1 }
    recipe.seed = request.seed &+ UInt64(index)
    recipe.steps = request.steps ?? defaults.steps
    recipe.sampler = request.solver?.description ?? defaults.solver
    recipe.schedule = request.spacing?.description ?? defaults.spacing
    let guidance = request.guidance ?? defaults.guidance
    switch (guidance.name, guidance.options["scale"], guidance.options.count) {
    case ("cfg", .double(let scale)?, 1): recipe.guidanceScale = scale
    case ("cfg", .int(let scale)?, 1): recipe.guidanceScale = Double(scale)
    case ("none", nil, 0): recipe.guidanceScale = 1
    default: recipe.guidance = guidance.description
    }
    let size = size(for: request)
    (recipe.width, recipe.height) = (size.width, size.height)
    recipe.model = name
    if request.start?.picture != nil { recipe.strength = request.start?.strength }
    recipe.engine = request.engine
    recipe.adapters = adapters
    return recipe
  }
}
