import ItoImages
import ItoTensors

extension RecipeFormat {
  /// stable-diffusion-webui and its kin, stable-diffusion.cpp and Itô: all write `parameters`.
  static let parameters = RecipeFormat(name: "stable-diffusion-webui") { metadata in
    metadata[ImageMetadata.parametersKey].flatMap(PictureRecipe.init(parameters:))
  }
}

extension PictureRecipe {
  /// What a `parameters` text tells; nil when it has no settings, so that it may be anything.
  public init?(parameters text: String) {
    let text = ParameterText(parsing: text)
    guard !text.settings.isEmpty else { return nil }
    let version = text.settings.first { $0.key == "Version" }?.value ?? ""
    self.init(
      tool: version.hasPrefix("ito ")
        ? "ito"
        : version.hasPrefix("stable-diffusion.cpp")
          ? "stable-diffusion.cpp" : "stable-diffusion-webui")
    let isOurs = tool == "ito"
    grammar = isOurs ? "literal" : "a1111"
    (prompt, adapters) = isOurs ? (text.prompt, []) : Self.withoutAdapters(text.prompt)
    negative = text.negative
    // The tools' own defaults, which they leave out.
    engine = isOurs ? .torch : .cuda
    for setting in text.settings { take(setting) }
    if !isOurs { splitSchedule() }
  }

  private mutating func take(_ setting: Setting) {
    let value = setting.value
    switch setting.key {
    case "Steps": steps = Int(value)
    case "Sampler": sampler = value
    case "Schedule type" where value != "Automatic": schedule = value
    case "Schedule type", "Version": break
    case "CFG scale": guidanceScale = Double(value)
    case "Guidance" where tool == "ito": guidance = value
    case "Seed": seed = UInt64(value)
    case "Size":
      let sides = value.split(separator: "x").compactMap { Int($0) }
      if sides.count == 2 { (width, height) = (sides[0], sides[1]) }
    case "Model": model = value
    case "Model hash": modelHash = value
    case "Clip skip": clipSkip = Int(value)
    case "Denoising strength": strength = Double(value)
    case "RNG": takeEngine(value)
    case "Prompt style": grammar = value
    case "Lora",
      "Loras" where tool == "ito":
      adapters = value.split(separator: ",").compactMap {
        let parts = $0.split(separator: "=")
        guard parts.count == 2, let strength = Double(parts[1]) else { return nil }
        return Adapter(
          name: String(parts[0].drop(while: \.isWhitespace)), strength: strength)
      }
    default: others.append(setting)
    }
  }

  private mutating func takeEngine(_ value: String) {
    switch value {
    case "CPU", "cpu": engine = .torch
    case "GPU", "NV", "cuda": engine = .cuda
    default:
      engine = NoiseSource.Engine(rawValue: value)
      if engine == nil { others.append(Setting(key: "RNG", value: value)) }
    }
  }

  /// Older files name the spacing with the method: `DPM++ 2M Karras`.
  private mutating func splitSchedule() {
    guard schedule == nil, let name = sampler else { return }
    for spacing in ["Karras", "Exponential", "Polyexponential", "SGM Uniform"]
    where name.hasSuffix(" " + spacing) {
      sampler = String(name.dropLast(spacing.count + 1))
      schedule = spacing
    }
  }

  /// The text without `<lora:name:strength>`, and what those name.
  static func withoutAdapters(_ text: String) -> (String, [Adapter]) {
    var plain = ""
    var adapters: [Adapter] = []
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "<") {
      let tail = rest[start...]
      guard let end = tail.firstIndex(of: ">") else { break }
      let parts = tail[tail.index(after: start)..<end].split(
        separator: ":", omittingEmptySubsequences: false)
      if parts.count >= 2, ["lora", "lyco"].contains(parts[0]) {
        let strength = parts.count > 2 ? Double(parts[2]) : 1
        adapters.append(Adapter(name: String(parts[1]), strength: strength ?? 1))
        plain += rest[..<start]
      } else {
        plain += rest[...end]
      }
      rest = rest[rest.index(after: end)...]
    }
    return (plain + rest, adapters)
  }
}
