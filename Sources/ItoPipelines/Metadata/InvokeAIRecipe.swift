import ItoComponents
import ItoImages
import ItoTensors

extension RecipeFormat {
  /// InvokeAI: a JSON object under `invokeai_metadata`.
  static let invokeAI = RecipeFormat(name: "InvokeAI") { metadata in
    guard let text = metadata["invokeai_metadata"],
      let json = try? JSONValue.parse(text, options: .python), let object = json.object
    else { return nil }
    return PictureRecipe(invokeAI: object)
  }
}

extension PictureRecipe {
  fileprivate init(invokeAI object: JSONObject) {
    self.init(tool: "InvokeAI")
    // Its prompts have a grammar of their own (`word+`, `(words)1.2`), which is not read.
    prompt = object["positive_prompt"]?.string ?? ""
    negative = object["negative_prompt"]?.string ?? ""
    seed = object["seed"]?.int.flatMap(UInt64.init(exactly:))
    steps = object["steps"]?.int
    guidanceScale = object["cfg_scale"]?.double
    (width, height) = (object["width"]?.int, object["height"]?.int)
    model = Self.name(object["model"])
    modelHash = object["model"]?["hash"]?.string
    strength = object["strength"]?.double
    engine = object["rand_device"]?.string == "cpu" ? .torch : .cuda
    if let skipped = object["clip_skip"]?.int, skipped > 0 { clipSkip = skipped + 1 }
    if let name = object["scheduler"]?.string {
      let isKarras = name.hasSuffix("_k")
      sampler = isKarras ? String(name.dropLast(2)) : name
      schedule = isKarras ? "Karras" : nil
    }
    // A file may hold any number of these; a hundred are more than anyone uses.
    for item in (object["loras"]?.array ?? []).prefix(100) {
      guard let name = Self.name(item["model"] ?? item["lora"]) else { continue }
      adapters.append(Adapter(name: name, strength: item["weight"]?.double ?? 1))
    }
    let known: Set<String> = [
      "positive_prompt", "negative_prompt", "seed", "steps", "cfg_scale", "width", "height",
      "model",
      "strength", "rand_device", "clip_skip", "scheduler", "loras", "generation_mode",
      "app_version",
    ]
    let strange = object.lazy.filter { !known.contains($0.key) && Self.matters($0.value) }
    for (key, value) in strange.prefix(100) {
      others.append(Setting(key: key, value: value.string ?? value.text()))
    }
    if ["+", "-"].contains(where: { mark in prompt.contains(")" + mark) })
      || prompt.contains(".blend(") || prompt.contains(".and(")
    {
      others.append(Setting(key: "prompt syntax", value: "weights of InvokeAI (compel)"))
    }
  }

  private static func name(_ model: JSONValue?) -> String? {
    model?["name"]?.string ?? model?["model_name"]?.string ?? model?.string
  }

  private static func matters(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false), .integer(0), .double(0), .string(""): false
    case .array(let items): !items.isEmpty
    default: true
    }
  }
}
